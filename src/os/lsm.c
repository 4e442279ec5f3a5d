/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/lsm.h"

#include "os/fault.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

static int open_attr(int proc, const char *name, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};
	char path[64];
	long fd;

	if ((size_t)snprintf(path, sizeof(path), "self/attr/%s", name) >= sizeof(path))
		return -ENAMETOOLONG;
	fd = syscall(SYS_openat2, proc, path, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

int os_lsm_attr_exists(int proc, const char *name)
{
	defer_close int fd = -EBADF;

	OS_FAULT("openat2");
	fd = open_attr(proc, name, O_PATH);
	return fd >= 0 ? 1 : fd == -ENOENT ? 0 : fd;
}

int os_lsm_attr_write(int proc, const char *name, const char *text)
{
	size_t len = strlen(text);
	defer_close int fd = -EBADF;
	ssize_t n;

	OS_FAULT("openat2");
	fd = open_attr(proc, name, O_WRONLY);
	if (fd < 0)
		return fd;
	n = write(fd, text, len);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int os_selinux_label(int fd, const char *label)
{
	OS_FAULT("fsetxattr");
	return fsetxattr(fd, "security.selinux", label, strlen(label), 0) < 0 ? -errno : 0;
}
