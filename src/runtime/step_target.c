/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/step_target.h"

#include "base/guard.h"
#include "os/node.h"
#include "os/path.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

static bool must_be_real(const char *path)
{
	return GUARD(proc_real) && (strcmp(path, "/proc") == 0 || strcmp(path, "/sys") == 0);
}

/* A link was on the way. Where did it lead? Return: fd; -errno */
static int open_through_link(int root, const char *path, int flags, struct err *err)
{
	defer_close int fd = -EBADF;
	struct statfs fs;

	if (must_be_real(path)) {
		err_set(err, -ELOOP, "open \"%s\" in the rootfs: it must be a real directory",
			path);
		return -ELOOP;
	}
	fd = os_open_in_root(root, path, flags, 0);
	if (fd < 0)
		return fd;
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	if (fs.f_type == PROC_SUPER_MAGIC) {
		err_set(err, -ELOOP, "open \"%s\" in the rootfs: a link leads it into /proc", path);
		return -ELOOP;
	}
	return take_fd(&fd);
}

int target_find(int root, const char *path, int flags, struct err *err)
{
	int fd;

	*err = ERR_INIT;
	/* The usual case in one call: it is there, and no link on the way to it. */
	fd = os_open_in_root(root, path, O_PATH | flags, RESOLVE_NO_SYMLINKS);
	if (fd == -ELOOP)
		fd = open_through_link(root, path, O_PATH | flags, err);
	if (fd < 0 && fd != -ENOENT && err->code == 0)
		err_set(err, fd, "open \"%s\" in the rootfs", path);
	return fd;
}

int target_open(struct act *a, int root, const char *path, int flags, enum target_make make,
		struct err *err)
{
	int fd = target_find(root, path, flags, err);

	if (fd != -ENOENT)
		return fd;
	fd = os_make_in_root(root, path, (mode_t)make, 0755, act_made, a);
	if (fd >= 0)
		return fd;
	err_set(err, fd, "open \"%s\" in the rootfs", path);
	if (fd == -EROFS || fd == -EACCES)
		err_hint(err, "it is not there and can't be made: add it to the rootfs");
	return fd;
}

/* Is the directory of @path, whose name has @len bytes, the working directory already? */
static bool is_there(const struct act *a, const char *path, size_t len)
{
	return a->cwd && a->cwd_len == len && strncmp(a->cwd, path, len) == 0;
}

int target_enter_own(struct act *a, int dir, const char *path, const char **ret_name,
		     struct err *err)
{
	size_t len = (size_t)(strrchr(path, '/') - path);
	int r;

	*ret_name = path + len + 1;
	if (is_there(a, path, len))
		return 0;
	r = os_enter(dir);
	if (r < 0)
		return err_set(err, r, "enter the directory of \"%s\"", path);
	a->cwd = path;
	a->cwd_len = len;
	return 0;
}

int target_enter_parent(struct act *a, int root, const char *path, const char **ret_name,
			struct err *err)
{
	size_t len = (size_t)(strrchr(path, '/') - path);
	defer_drop int fd = -EBADF;
	char parent[PATH_MAX];
	int r;

	*ret_name = path + len + 1;
	if (is_there(a, path, len))
		return 0;

	if (len >= sizeof(parent))
		return err_set(err, -ENAMETOOLONG, "open the directory of \"%s\"", path);
	memcpy(parent, path, len);
	strcpy(parent + len, len ? "" : "/");
	fd = target_open(a, root, parent, O_DIRECTORY, TARGET_MAKE_DIR, err);
	if (fd < 0)
		return fd;
	r = os_enter(fd);
	if (r < 0)
		return err_set(err, r, "enter \"%s\" in the rootfs", parent);
	a->cwd = path;
	a->cwd_len = len;
	return 0;
}
