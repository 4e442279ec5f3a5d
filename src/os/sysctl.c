/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/sysctl.h"

#include "os/fault.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>

static int open_key(int proc, const char *path)
{
	struct open_how how = {
		.flags = O_WRONLY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
			   RESOLVE_NO_XDEV,
	};
	char full[PATH_MAX];
	long fd;

	if ((size_t)snprintf(full, sizeof(full), "sys/%s", path) >= sizeof(full))
		return -ENAMETOOLONG;
	fd = syscall(SYS_openat2, proc, full, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

int os_sysctl_write(int proc, const char *path, const char *value, size_t len)
{
	defer_close int fd = -EBADF;
	ssize_t n;

	OS_FAULT("openat2");
	fd = open_key(proc, path);
	if (fd < 0)
		return fd;
	n = write(fd, value, len);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}
