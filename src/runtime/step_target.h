/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding, in the container's root, the place where a step works. Used in the child before the
 * pivot; everything starts at the root's fd, so neither links in the image nor somebody who renames
 * directories can lead a step outside.
 */
#ifndef TARE_RUNTIME_STEP_TARGET_H
#define TARE_RUNTIME_STEP_TARGET_H

#include "runtime/act.h"

#include <sys/stat.h>

/* What target_open() makes of a missing target. */
enum target_make { TARGET_MAKE_FILE = S_IFREG, TARGET_MAKE_DIR = S_IFDIR };

/*
 * target_open() - open a place in the container, making what is missing of its path (mode 0755,
 * noted for undo)
 * @root:  the rootfs
 * @path:  clean
 * @flags: O_DIRECTORY, O_NOFOLLOW or 0; O_PATH is added
 *
 * Links are followed inside the root, but not at /proc and /sys themselves, and not to a place
 * inside a procfs: what the runtime later relies on there must not be for the image to choose
 * (CVE-2019-19921).
 *
 * Return: fd; -errno with *err filled
 */
int target_open(struct act *a, int root, const char *path, int flags, enum target_make make,
		struct err *err);

/*
 * target_find() - target_open() of what must be there. Return: fd; -ENOENT with *err empty; -errno
 * with *err filled
 */
int target_find(int root, const char *path, int flags, struct err *err);

/*
 * target_enter_parent() - make the directory that @path is in the working directory
 * @path:     clean, owned by the plan
 * @ret_name: its last component
 *
 * A row of steps in one directory looks it up once.
 */
int target_enter_parent(struct act *a, int root, const char *path, const char **ret_name,
			struct err *err);

/*
 * target_enter_own() - the same for a tmpfs of the plan's own, which is held open: nothing is looked
 * up, so nobody can put something else in its place
 * @dir: the tmpfs that @path is in
 */
int target_enter_own(struct act *a, int dir, const char *path, const char **ret_name,
		     struct err *err);

/*
 * target_left() - the working directory is another one now, or what is mounted may have changed
 * below it
 */
static inline void target_left(struct act *a)
{
	a->cwd = NULL;
}

/*
 * A local fd of the child's. close_range() ends all of them at once before the program is executed,
 * so they stay open; only a plan with very many mounts closes them one by one, to stay clear of
 * RLIMIT_NOFILE.
 */
#define TARGET_FD_KEEP 64
static inline void defer_drop_fn(int *fd)
{
	if (*fd >= TARGET_FD_KEEP)
		defer_close_fn(fd);
}
#define defer_drop __attribute__((cleanup(defer_drop_fn)))

#endif
