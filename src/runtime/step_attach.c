/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attaching the trees that the parent opened (step_source.c) to their places in the container's
 * root. Attributes and propagation were set before; what remains is to find the place, or to make
 * it.
 */
#include "runtime/late_attr.h"
#include "runtime/step_target.h"

#include "base/guard.h"
#include "os/mount.h"
#include "os/node.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/vfs.h>

static bool is_link(int tree)
{
	struct stat st;

	return fstat(tree, &st) == 0 && S_ISLNK(st.st_mode);
}

/* What to make for a tree to be mounted on. */
static enum target_make make_like(int tree)
{
	struct stat st;

	return fstat(tree, &st) == 0 && S_ISDIR(st.st_mode) ? TARGET_MAKE_DIR : TARGET_MAKE_FILE;
}

static int copy_symlink(struct act *a, const struct step *step, int tree, struct err *err)
{
	const char *path = step->u.attach.target, *name;
	char text[PATH_MAX];
	ssize_t n;
	int r;

	n = readlinkat(tree, "", text, sizeof(text) - 1);
	if (n < 0)
		return err_sys(err, "read the link \"%s\"", step->u.attach.source);
	text[n] = '\0';
	r = target_enter_parent(a, a->fd[step->in[0]], path, &name, err);
	if (r < 0)
		return r;
	r = os_symlink(text, AT_FDCWD, name);
	if (r < 0)
		return err_set(err, r, "make the link \"%s\"", path);
	act_made(a, AT_FDCWD, path, name);
	return 0;
}

static int explain_attach(int code, int tree, int target, const struct step *step, struct err *err)
{
	struct stat from, to;

	err_set(err, code, "mount \"%s\" on \"%s\"", step->u.attach.source, step->u.attach.target);
	if (fstat(tree, &from) == 0 && fstat(target, &to) == 0 &&
	    S_ISDIR(from.st_mode) != S_ISDIR(to.st_mode))
		err_hint(err, "the source is a %s, the destination is a %s",
			 S_ISDIR(from.st_mode) ? "directory" : "file",
			 S_ISDIR(to.st_mode) ? "directory" : "file");
	return code;
}

/*
 * Whatever is on /proc is asked for process attributes later: it must be a procfs (CVE-2019-16884).
 */
static int check_proc(int tree, const struct step *step, struct err *err)
{
	struct statfs fs;

	if (fstatfs(tree, &fs) < 0)
		return err_sys(err, "look at \"%s\"", step->u.attach.source);
	if (GUARD(proc_procfs) && fs.f_type != PROC_SUPER_MAGIC)
		return err_set(err, -EINVAL, "mount \"%s\" on \"/proc\": it is not a procfs",
			       step->u.attach.source);
	return 0;
}

/* In the tmpfs of the cgroup mount, as mount_here(). */
static int attach_here(struct act *a, const struct step *step, struct err *err)
{
	const char *name;
	int r = target_enter_own(a, a->fd[step->in[2]], step->u.attach.target, &name, err);

	if (r == 0)
		r = os_mkdir(AT_FDCWD, name, 0755);
	if (r < 0)
		return err->code ? r : err_set(err, r, "make \"%s\"", step->u.attach.target);
	r = os_tree_attach(a->fd[step->in[1]], AT_FDCWD, name);
	if (r < 0)
		return err_set(err, r, "mount \"%s\" on \"%s\"", step->u.attach.source,
			       step->u.attach.target);
	return late_attr_attached(a, step->in[1], err);
}

/* Without its guard: by a path, which may mean something else by now. */
static int attach_by_path(const struct act *a, const struct step *step, int tree)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", a->options->rootfs, step->u.attach.target);
	return os_tree_attach(tree, AT_FDCWD, path);
}

/*
 * step_attach() - put a tree that the parent opened onto its place
 *
 * A missing place is made as what the source is: a directory, or a file for all else (row M-10).
 */
int step_attach(struct act *a, const struct step *step, struct err *err)
{
	int tree = a->fd[step->in[1]], root = a->fd[step->in[0]], r;
	int flags = step->u.attach.nofollow ? O_NOFOLLOW : 0;
	defer_drop int target = -EBADF;

	if (step->u.attach.here)
		return attach_here(a, step, err);
	target_left(a);
	if (step->u.attach.copy_symlink && is_link(tree))
		return copy_symlink(a, step, tree, err);
	if (step->u.attach.need_proc) {
		r = check_proc(tree, step, err);
		if (r < 0)
			return r;
	}

	target = target_find(root, step->u.attach.target, flags, err);
	if (target == -ENOENT)
		target = target_open(a, root, step->u.attach.target, flags, make_like(tree), err);
	if (target < 0)
		return target;
	r = GUARD(target_fd) ? os_tree_attach(tree, target, "") : attach_by_path(a, step, tree);
	if (r < 0)
		return explain_attach(r, tree, target, step, err);
	return late_attr_attached(a, step->in[1], err);
}
