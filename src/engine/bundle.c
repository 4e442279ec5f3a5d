/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bundle is what a container is started from, and a copy of its root filesystem in the place of the overlay: so the
 * container is prepared as for `run`, and taken back once the copy is there.
 */
#include "engine/bundle.h"

#include "image/copy.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/remove.h"

#include <fcntl.h>
#include <sys/stat.h>

/* @ret_made: the directory is ours, to be removed on failure */
static int open_target(const char *path, bool *ret_made, struct err *err)
{
	int fd;

	*ret_made = mkdir(path, 0700) == 0;
	if (!*ret_made && errno != EEXIST)
		return err_sys(err, "make the bundle \"%s\"", path);
	fd = os_dir_open(path);
	return fd < 0 ? err_set(err, fd, "open the bundle \"%s\"", path) : fd;
}

/* What else is in the directory is its owner's, and stays. */
static int check_free(int dir, const char *path, struct err *err)
{
	static const char *const names[] = { "config.json", "rootfs" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (os_exists_at(dir, names[i]) != 0)
			return err_user_code(err, -EEXIST, "\"%s\" has a \"%s\" already", path,
					     names[i]);
	}
	return 0;
}

static int fill(const struct launch *launch, int dir, struct err *err)
{
	defer_close int rootfs = -EBADF;
	int r;

	if (mkdirat(dir, "rootfs", 0755) < 0)
		return err_sys(err, "make \"rootfs\" in the bundle");
	rootfs = openat(dir, "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (rootfs < 0)
		return err_sys(err, "open \"rootfs\" in the bundle");
	r = copy_tree(launch->root, rootfs, err);
	if (r < 0)
		return r;
	r = os_file_make_at(dir, "config.json", launch->config, launch->config_len, 0644);
	return r < 0 ? err_set(err, r, "write config.json in the bundle") : 0;
}

static int fill_or_empty(const struct launch *launch, int dir, const char *path, bool made,
			 struct err *err)
{
	int r = fill(launch, dir, err);

	if (r == 0)
		return 0;
	(void)!os_remove_tree(dir, "rootfs");
	(void)unlinkat(dir, "config.json", 0);
	if (made)
		(void)rmdir(path);
	return r;
}

int bundle_make(struct launch *launch, const char *path, struct err *err)
{
	defer_close int dir = -EBADF;
	struct err second = ERR_INIT;
	bool made;
	int r;

	launch->auto_remove = true;
	launch->no_files = true;
	launch->unpack = layers_unpack;
	r = launch_prepare(launch, err);
	if (r < 0)
		return r;
	r = dir = open_target(path, &made, err);
	if (r >= 0)
		r = check_free(dir, path, err);
	if (r == 0)
		r = fill_or_empty(launch, dir, path, made, err);
	if (launch_finish(launch, -1, &second) < 0 && r == 0) {
		*err = second;
		return second.code;
	}
	return r;
}
