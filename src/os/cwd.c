/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/cwd.h"

#include "os/fault.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* A directory below @dir (or from "/"), never by a magic link: those lead to wherever an fd of ours points. */
static int open_directory(int dir, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	OS_FAULT("openat2");
	fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

/* The kernel names a directory outside the root "(unreachable)/...". */
static int check_inside(void)
{
	char path[PATH_MAX];

	if (syscall(SYS_getcwd, path, sizeof(path)) < 0)
		return -errno;
	return path[0] == '/' ? 0 : -EXDEV;
}

int os_cwd_enter(const char *path)
{
	defer_close int fd = -EBADF;

	OS_FAULT("chdir");
	/* "/" is the process's own root by definition. */
	if (strcmp(path, "/") == 0)
		return chdir("/") < 0 ? -errno : 0;

	fd = open_directory(AT_FDCWD, path);
	if (fd < 0)
		return fd;
	if (fchdir(fd) < 0)
		return -errno;
	return check_inside();
}

static int make_one(int parent, const char *name, mode_t mode, bool *ret_new)
{
	OS_FAULT("mkdirat");
	*ret_new = false;
	if (mkdirat(parent, name, mode) < 0)
		return errno == EEXIST ? 0 : -errno;
	*ret_new = true;
	/* The umask is the caller's, and stays. */
	return fchmodat(parent, name, mode, 0) < 0 ? -errno : 0;
}

int os_cwd_make(const char *path, mode_t mode,
		void (*made)(void *arg, int parent, const char *path, const char *name), void *arg)
{
	defer_close int parent = -EBADF;
	char text[PATH_MAX], *name, *next;
	bool is_new;
	int fd, r;

	if (strlen(path) >= sizeof(text))
		return -ENAMETOOLONG;
	strcpy(text, path);
	parent = open_directory(AT_FDCWD, "/");
	if (parent < 0)
		return parent;

	for (name = text + strspn(text, "/"); *name; name = next) {
		size_t len = strcspn(name, "/");

		next = name + len + strspn(name + len, "/");
		name[len] = '\0';
		fd = open_directory(parent, name);
		if (fd == -ENOENT) {
			r = make_one(parent, name, mode, &is_new);
			if (r < 0)
				return r;
			if (is_new)
				made(arg, parent, text, name);
			fd = open_directory(parent, name);
		}
		if (fd < 0)
			return fd;
		close(parent);
		parent = fd;
		if (*next)
			name[len] = '/';
	}
	return 0;
}
