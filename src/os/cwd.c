/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/cwd.h"

#include "base/guard.h"
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
		.resolve = GUARD(cwd_inside) ? RESOLVE_NO_MAGICLINKS : 0,
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
	return GUARD(cwd_inside) ? check_inside() : 0;
}

static int make_one(int parent, const char *name, mode_t mode, bool *ret_new)
{
	OS_FAULT("mkdirat");
	if (mkdirat(parent, name, mode) < 0)
		return errno == EEXIST ? 0 : -errno;
	*ret_new = true;
	/* The umask is the caller's, and stays. */
	return fchmodat(parent, name, mode, 0) < 0 ? -errno : 0;
}

/* The directory @name in @parent, made if it is not there; *ret_new also when it can't be opened afterwards. */
static int open_or_make(int parent, const char *name, mode_t mode, bool *ret_new)
{
	int fd = open_directory(parent, name), r;

	*ret_new = false;
	if (fd != -ENOENT)
		return fd;
	r = make_one(parent, name, mode, ret_new);
	return r < 0 ? r : open_directory(parent, name);
}

int os_cwd_make(const char *path, mode_t mode,
		void (*made)(void *arg, int parent, const char *path, const char *name), void *arg)
{
	defer_close int parent = -EBADF;
	char text[PATH_MAX], *name, *end;
	bool is_new;
	int fd;

	if (strlen(path) >= sizeof(text))
		return -ENAMETOOLONG;
	strcpy(text, path);
	parent = open_directory(AT_FDCWD, "/");
	if (parent < 0)
		return parent;

	/* One name after the other; what is before it in `text` is the path so far. */
	for (name = text + strspn(text, "/"); *name; name = end + strspn(end, "/")) {
		end = name + strcspn(name, "/");
		bool last = !*end;

		*end = '\0';
		fd = open_or_make(parent, name, mode, &is_new);
		if (is_new)
			made(arg, parent, text, name);
		if (fd < 0)
			return fd;
		close(parent);
		parent = fd;
		if (!last)
			*end = '/';
	}
	return 0;
}
