/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parent takes of the host for the container: sources of binds, devices, covers of masks.
 * Each is a detached tree that nobody can reach until the child attaches it, so it gets its
 * attributes and propagation here.
 */
#include "runtime/late_attr.h"

#include "os/mount.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static int check_device(int fd, const struct step *step, struct err *err)
{
	mode_t type = step->u.source_open.dev_type == 'b' ? S_IFBLK : S_IFCHR;
	dev_t rdev = makedev(step->u.source_open.dev_major, step->u.source_open.dev_minor);
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, "look at \"%s\"", step->u.source_open.path);
	if ((st.st_mode & S_IFMT) == type && st.st_rdev == rdev)
		return 0;
	return err_set(err, -ENODEV, "bind \"%s\": on this host it is not the device %c %u:%u",
		       step->u.source_open.path, step->u.source_open.dev_type,
		       step->u.source_open.dev_major, step->u.source_open.dev_minor);
}

static const struct {
	uint64_t attr;
	const char *word;
} attr_words[] = {
	{ MOUNT_ATTR_RDONLY, "rw" },
	{ MOUNT_ATTR_NOSUID, "suid" },
	{ MOUNT_ATTR_NODEV, "dev" },
	{ MOUNT_ATTR_NOEXEC, "exec" },
	{ MOUNT_ATTR__ATIME, "*atime" },
	{ MOUNT_ATTR_NODIRATIME, "diratime" },
	{ MOUNT_ATTR_NOSYMFOLLOW, "symfollow" },
};

/*
 * EPERM on clearing means: a less privileged user namespace got this mount with its flags locked
 * (row M-1).
 */
static int explain_setattr(int code, const struct step *step, uint64_t clr, struct err *err)
{
	const char *path = step->u.source_open.path;

	err_set(err, code, "set the options of the bind of \"%s\"", path);
	for (size_t i = 0; code == -EPERM && i < ARRAY_LEN(attr_words); i++) {
		if (!(clr & attr_words[i].attr))
			continue;
		err_set(err, code, "bind \"%s\" with option \"%s\"", path, attr_words[i].word);
		err_hint(err, "this user namespace got the mount with its options locked; leave "
			      "the word out");
		break;
	}
	return code;
}

/*
 * Copy the source, with the first lot of changes in the same call where there are any. Return: fd;
 * -errno
 */
static int clone_source(struct act *a, const struct step *step, unsigned flags,
			const struct os_mount_attr *attr, struct err *err)
{
	const char *path = step->u.source_open.path;
	bool change = attr->set || attr->clr || attr->propagation;
	bool late = false;
	int fd = change ? os_tree_clone_attr(AT_FDCWD, path, flags, attr, &late)
			: os_tree_clone(AT_FDCWD, path, flags);

	a->late_attrs |= late;
	if (fd >= 0)
		return fd;
	if (fd == -EPERM && attr->clr)
		return explain_setattr(fd, step, attr->clr, err);
	err_set(err, fd, "open the mount source \"%s\"", path);
	if (fd == -EINVAL)
		err_hint(err,
			 "it may be in a mount that is unbindable, or not in this mount namespace");
	if (fd == -ENOSYS)
		err_hint(err, "it needs open_tree, Linux 5.2 or newer");
	return fd;
}

/* Often there is only one lot, and then one call does it all. */
void source_attrs(const struct step *step, struct os_mount_attr *ret_tree,
		  struct os_mount_attr *ret_top)
{
	struct os_mount_attr top = {
		.set = step->u.source_open.attr_set,
		.clr = step->u.source_open.attr_clr,
		.propagation = step->u.source_open.propagation,
	};
	struct os_mount_attr tree = {
		.set = step->u.source_open.rec_attr_set,
		.clr = step->u.source_open.rec_attr_clr,
		.propagation = step->u.source_open.rec_propagation,
	};

	if (!step->u.source_open.recursive && !tree.set && !tree.clr && !top.propagation) {
		top.propagation = tree.propagation;
		tree = top;
		top = (struct os_mount_attr){ 0 };
	}
	*ret_tree = tree;
	*ret_top = top;
}

/*
 * step_source_open() - a tree of the host, with the attributes that the config asks for
 *
 * The words for the whole tree come first, so that those for its top have the last word there.
 */
int step_source_open(struct act *a, const struct step *step, struct err *err)
{
	unsigned flags = (step->u.source_open.recursive ? AT_RECURSIVE : 0) |
			 (step->u.source_open.nofollow ? AT_SYMLINK_NOFOLLOW : 0);
	struct os_mount_attr top, tree;
	defer_close int fd = -EBADF;
	int r;

	source_attrs(step, &tree, &top);
	fd = clone_source(a, step, flags, &tree, err);
	if (fd < 0)
		return fd;
	if (step->u.source_open.check_device) {
		r = check_device(fd, step, err);
		if (r < 0)
			return r;
	}
	if (!a->late_attrs && (top.set || top.clr || top.propagation)) {
		r = os_mount_setattr(fd, "", false, &top);
		a->late_attrs = r == -ENOSYS;
		if (r < 0 && !a->late_attrs)
			return explain_setattr(r, step, top.clr, err);
	}
	a->fd[step->out] = take_fd(&fd);
	return 0;
}

int step_empty_dir(struct act *a, const struct step *step, struct err *err)
{
	int fd = os_tmpfs_empty_ro(step->u.empty_dir.data);

	if (fd < 0)
		return err_set(err, fd, "make an empty directory to mask others with");
	a->fd[step->out] = fd;
	return 0;
}

/* ---- idmapped mounts ------------------------------------------------------------------------- */

int step_id_map_ns(struct act *a, const struct step *step, struct err *err)
{
	int fd = os_idmap_ns(step->u.id_map_ns.uid_map, step->u.id_map_ns.gid_map);

	if (fd < 0) {
		err_set(err, fd, "make a user namespace for the mount's id mappings");
		if (fd == -EINVAL)
			err_hint(err, ID_MAP_HINT);
		return fd;
	}
	a->fd[step->out] = fd;
	return 0;
}

static int open_child_userns(const struct act *a)
{
	char path[48];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)a->child_pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Spec: config.md "mount options" idmap, ridmap; mount_setattr(2) "ID-mapped mounts" */
int step_idmap(struct act *a, const struct step *step, struct err *err)
{
	struct os_mount_attr attr = { .set = MOUNT_ATTR_IDMAP };
	defer_close int own = -EBADF;
	int r;

	if (step->in[1] == SLOT_NONE) {
		own = open_child_userns(a);
		if (own < 0)
			return err_set(err, own, "open the container's user namespace");
	}
	attr.userns = step->in[1] == SLOT_NONE ? own : a->fd[step->in[1]];

	r = os_mount_setattr(a->fd[step->in[0]], "", step->u.idmap.recursive, &attr);
	if (r < 0) {
		err_set(err, r, "idmap the mount of \"%s\"", step->u.idmap.path);
		if (r == -EINVAL)
			err_hint(err, "its filesystem can't be idmapped by this kernel, or is "
				      "idmapped already");
		if (r == -ENOSYS)
			err_hint(err, LATE_ATTR_HINT);
	}
	return r;
}
