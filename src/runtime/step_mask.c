/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Acting on masked and read-only paths, in the container's own root; plan_mask.c says what with. */
#include "runtime/late_attr.h"
#include "runtime/step_target.h"

#include "base/guard.h"
#include "os/mount.h"
#include "os/path.h"

#include <fcntl.h>

/* After the pivot "/" is the root; every link of the container then stays inside it by itself. */
static int open_path(const char *path)
{
	return os_open_in_root(AT_FDCWD, path, O_PATH, 0);
}

/*
 * A fresh cover from the source in slot in[@i]. The kernel copies only mounts of our own namespace,
 * so the parent's tree itself covers the first path, and the others get copies of it from there.
 */
static int get_cover(struct act *a, const struct step *step, int i)
{
	int source = a->fd[step->in[i]];

	if (i == 0 && !GUARD(mask_cover))
		return os_tree_clone(AT_FDCWD, "/dev/null", 0);

	return a->cover_mounted[i] ? os_tree_clone(source, "", AT_EMPTY_PATH) : source;
}

/*
 * step_mask() - hide one path of the container from its processes
 *
 * A directory is covered with an empty read-only tmpfs, anything else with the host's verified
 * /dev/null.
 *
 * Spec:    config-linux.md "Masked Paths"
 * Needs:   CAP_SYS_ADMIN in the user namespace that owns the mount namespace
 * Return:  0, also where the path does not exist; otherwise -errno
 */
int step_mask(struct act *a, const struct step *step, struct err *err)
{
	const char *path = step->u.mask.path;
	defer_drop int target = -EBADF;
	struct stat st;
	int cover, i, r;

	target = open_path(path);
	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return err_set(err, target, "find masked path \"%s\"", path);
	if (fstat(target, &st) < 0)
		return err_sys(err, "look at masked path \"%s\"", path);

	i = S_ISDIR(st.st_mode) ? 1 : 0;
	cover = get_cover(a, step, i);
	if (cover < 0)
		return err_set(err, cover, "make the cover for masked path \"%s\"", path);
	r = os_tree_attach(cover, target, "");
	if (a->cover_mounted[i])
		defer_drop_fn(&cover);
	if (r < 0)
		return err_set(err, r, "mount over masked path \"%s\"", path);
	if (a->cover_mounted[i])
		return 0;
	a->cover_mounted[i] = true;
	return late_attr_attached(a, step->in[i], err);
}

/*
 * step_readonly() - bind a path over itself, read-only
 *
 * The copy keeps the flags of the original, among them those that a user namespace may not clear
 * (row M-17). Mounts below the path become read-only with it.
 *
 * Spec:   config-linux.md "Readonly Paths"
 * Return: 0, also where the path does not exist; otherwise -errno
 */
int step_readonly(struct act *a, const struct step *step, struct err *err)
{
	struct os_mount_attr attr = { .set = MOUNT_ATTR_RDONLY };
	const char *path = step->u.readonly.path;
	defer_drop int target = -EBADF, tree = -EBADF;
	bool late;
	int r;

	target = open_path(path);
	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return err_set(err, target, "find read-only path \"%s\"", path);
	tree = os_tree_clone_attr(target, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, &late);
	if (tree < 0)
		return err_set(err, tree, "make path \"%s\" read-only", path);
	r = os_tree_attach(tree, target, "");
	if (r < 0)
		return err_set(err, r, "mount read-only path \"%s\"", path);
	if (late)
		r = late_attr_set(a, tree, true, &attr);
	return r < 0 ? err_set(err, r, "make path \"%s\" read-only", path) : 0;
}
