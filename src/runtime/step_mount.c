/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mounting in the container's root, before the pivot. A new filesystem is mounted by mount(2) on
 * "." after fchdir() to the verified target: three calls, and no path that could change between two
 * of them.
 */
#include "runtime/late_attr.h"
#include "runtime/step_target.h"

#include "os/lsm.h"
#include "os/mount.h"
#include "os/node.h"
#include "os/path.h"
#include "runtime/mount_words.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

/* ---- why a filesystem could not be mounted --------------------------------------------------- */

static void hint_mount(int code, const char *fstype, struct err *err)
{
	if (code == -ENODEV)
		err_hint(err,
			 "this kernel has no filesystem type \"%s\", or its module is not loaded",
			 fstype);
	if (code != -EPERM)
		return;
	if (strcmp(fstype, "proc") == 0)
		err_hint(err, "in a user namespace a proc needs a new pid namespace too, and a "
			      "host whose own /proc has "
			      "nothing mounted over its files");
	else if (strcmp(fstype, "sysfs") == 0)
		err_hint(err, "a sysfs needs a network namespace that the user namespace owns, and "
			      "a host whose own /sys "
			      "is not covered; or bind the host's /sys read-only");
	else if (strcmp(fstype, "mqueue") == 0)
		err_hint(err, "an mqueue needs an ipc namespace that the user namespace owns");
	else
		err_hint(err, "the filesystem may not be mountable in a user namespace");
}

static int explain_mount(int code, const struct step *step, const char *data, struct err *err)
{
	const char *fstype = step->u.mount.fstype;
	char why[256];

	os_mount_reason(fstype, step->u.mount.source, step->u.mount.flags, data, why, sizeof(why));
	if (why[0])
		err_set(err, code, "mount \"%s\" on \"%s\": the kernel says \"%s\"", fstype,
			step->u.mount.target, why);
	else
		err_set(err, code, "mount \"%s\" on \"%s\"", fstype, step->u.mount.target);
	hint_mount(code, fstype, err);
	return code;
}

/* ---- MOUNT ----------------------------------------------------------------------------------- */

/*
 * A tmpfs gets the mode and owner of the directory that it covers, unless the config says otherwise
 * (row M-6).
 * @buf: MOUNT_DATA_MAX bytes for the longer text
 */
static int add_mode(int target, const char *data, char *buf, const char **ret_data)
{
	struct stat st;
	int len;

	if (fstat(target, &st) < 0)
		return -errno;
	len = snprintf(buf, MOUNT_DATA_MAX, "%s%smode=%o", data ? data : "", data ? "," : "",
		       st.st_mode & 07777);
	/*
	 * Ids that the user namespace does not map show as the overflow id and could not be given
	 * back.
	 */
	if ((st.st_uid || st.st_gid) && st.st_uid != 65534 && st.st_gid != 65534 &&
	    len < MOUNT_DATA_MAX)
		len += snprintf(buf + len, (size_t)(MOUNT_DATA_MAX - len), ",uid=%u,gid=%u",
				st.st_uid, st.st_gid);
	if (len >= MOUNT_DATA_MAX)
		return -E2BIG;
	*ret_data = buf;
	return 0;
}

/* The mount that lies on top at the target now. */
static int open_mounted(struct act *a, const struct step *step, struct err *err)
{
	int fd = os_open_in_root(a->fd[step->in[0]], step->u.mount.target, O_PATH, 0);

	return fd < 0 ? err_set(err, fd, "open the mount on \"%s\"", step->u.mount.target) : fd;
}

static int set_propagation(struct act *a, const struct step *step, struct err *err)
{
	struct os_mount_attr attr = { .propagation = step->u.mount.propagation };
	defer_drop int fd = -EBADF;
	int r;

	if (!step->u.mount.propagation)
		return 0;
	fd = open_mounted(a, step, err);
	if (fd < 0)
		return fd;
	r = late_attr_set(a, fd, false, &attr);
	return r < 0 ? err_set(err, r, "set the propagation of \"%s\"", step->u.mount.target) : 0;
}

/* A detached mount of it, put onto the target. @ret_tree: receives its fd; owned by the caller */
static int mount_detached(const struct step *step, int target, const char *data, int *ret_tree)
{
	defer_drop int tree = -EBADF;
	int r;

	tree = os_fs_new(step->u.mount.fstype, step->u.mount.source, step->u.mount.flags, data);
	if (tree < 0)
		return tree;
	r = os_tree_attach(tree, target, "");
	if (r < 0)
		return r;
	*ret_tree = take_fd(&tree);
	return 0;
}

/*
 * mount(2) on "." of the held directory. It refuses a filesystem where the same one is mounted (EBUSY): in a bound /sys, say,
 * the cgroup2 that came with it. A detached mount may lie over it.
 */
static int mount_plain(const struct step *step, int target, const char *data)
{
	defer_drop int tree = -EBADF;
	int r = os_enter(target);

	if (r < 0)
		return r;
	r = os_mount(step->u.mount.source, ".", step->u.mount.fstype, step->u.mount.flags, data);
	if (r == -EBUSY && mount_detached(step, target, data, &tree) == 0)
		return 0;
	return r;
}

static int mount_new(struct act *a, const struct step *step, struct err *err)
{
	const char *data = step->u.mount.data;
	char longer[MOUNT_DATA_MAX];
	defer_drop int target = -EBADF;
	int r;

	target = target_open(a, a->fd[step->in[0]], step->u.mount.target, O_DIRECTORY,
			     TARGET_MAKE_DIR, err);
	if (target < 0)
		return target;
	target_left(a);
	if (step->u.mount.keep_mode) {
		r = add_mode(target, data, longer, &data);
		if (r < 0)
			return err_set(err, r, "keep the mode of \"%s\"", step->u.mount.target);
	}
	if (step->out != SLOT_NONE) /* other steps work in it, and need not trust a path */
		r = mount_detached(step, target, data, &a->fd[step->out]);
	else
		r = mount_plain(step, target, data);
	if (r < 0)
		return explain_mount(r, step, data, err);
	return set_propagation(a, step, err);
}

/*
 * The target's parent is a tmpfs that this plan has mounted, and which nobody else can reach: make
 * a directory in it and mount there, by its name. Nothing needs to be looked up.
 */
static int mount_here(struct act *a, const struct step *step, struct err *err)
{
	const char *name;
	int r = target_enter_own(a, a->fd[step->in[1]], step->u.mount.target, &name, err);

	if (r < 0)
		return r;
	r = os_mkdir(AT_FDCWD, name, 0755);
	if (r == -EEXIST) /* made for another mount's path: then it is a target like others */
		return mount_new(a, step, err);
	if (r < 0)
		return err_set(err, r, "make \"%s\"", step->u.mount.target);
	r = os_mount(step->u.mount.source, name, step->u.mount.fstype, step->u.mount.flags,
		     step->u.mount.data);
	return r < 0 ? explain_mount(r, step, step->u.mount.data, err) : 0;
}

static int remount_attr(struct act *a, int fd, const struct step *step)
{
	struct os_mount_attr tree = { .set = step->u.mount.rec_attr_set,
				      .clr = step->u.mount.rec_attr_clr };
	struct os_mount_attr top = {
		.set = step->u.mount.attr_set,
		.clr = step->u.mount.attr_clr,
		.propagation = step->u.mount.propagation & MOUNT_PROPAGATIONS,
	};
	int r = 0;

	if (step->u.mount.propagation & MS_REC) {
		tree.propagation = top.propagation;
		top.propagation = 0;
	}
	if (tree.set || tree.clr || tree.propagation)
		r = late_attr_set(a, fd, true, &tree);
	if (r == 0 && (top.set || top.clr || top.propagation))
		r = late_attr_set(a, fd, false, &top);
	return r;
}

/*
 * MS_REMOUNT of the filesystem resets every mount flag that it does not name, so name those that
 * are there.
 */
static int remount_filesystem(int fd, const struct step *step)
{
	static const struct {
		unsigned long st, ms;
		uint64_t attr;
	} kept[] = {
		{ ST_NOSUID, MS_NOSUID, MOUNT_ATTR_NOSUID },
		{ ST_NODEV, MS_NODEV, MOUNT_ATTR_NODEV },
		{ ST_NOEXEC, MS_NOEXEC, MOUNT_ATTR_NOEXEC },
		{ ST_NODIRATIME, MS_NODIRATIME, MOUNT_ATTR_NODIRATIME },
	};
	unsigned long flags = step->u.mount.flags | MS_REMOUNT;
	struct statvfs now;
	int r;

	if (fstatvfs(fd, &now) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		if (now.f_flag & kept[i].st && !(step->u.mount.attr_clr & kept[i].attr))
			flags |= kept[i].ms;
	}
	if (now.f_flag & ST_RDONLY && !(step->u.mount.attr_clr & MOUNT_ATTR_RDONLY))
		flags |= MS_RDONLY;
	r = os_enter(fd);
	if (r < 0)
		return r;
	return os_mount(step->u.mount.source, ".", step->u.mount.fstype, flags, step->u.mount.data);
}

static int remount(struct act *a, const struct step *step, struct err *err)
{
	defer_drop int fd = -EBADF;
	int r = 0;

	target_left(a);
	fd = open_mounted(a, step, err);
	if (fd < 0)
		return fd;
	if (step->u.mount.fstype)
		r = remount_filesystem(fd, step);
	if (r == 0)
		r = remount_attr(a, fd, step);
	if (r < 0) {
		err_set(err, r, "remount \"%s\"", step->u.mount.target);
		if (r == -ENOSYS)
			err_hint(err, LATE_ATTR_HINT);
		if (r == -EINVAL)
			err_hint(err, "nothing may be mounted there, or the filesystem does not "
				      "take these options");
	}
	return r;
}

static int set_label(struct act *a, const struct step *step, struct err *err)
{
	const char *target = step->u.mount.target;
	defer_drop int fd = -EBADF;
	int r;

	fd = os_open_in_root(a->fd[step->in[0]], target, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return err_set(err, fd, "open the mount on \"%s\"", target);
	r = os_selinux_label(fd, step->u.mount.label);
	if (r < 0) {
		err_set(err, r, "label the mount on \"%s\" \"%s\"", target, step->u.mount.label);
		return err_at(err, "/linux/mountLabel");
	}
	return 0;
}

int step_mount(struct act *a, const struct step *step, struct err *err)
{
	int r;

	if (step->u.mount.remount)
		return remount(a, step, err);
	r = step->u.mount.here ? mount_here(a, step, err) : mount_new(a, step, err);
	return r == 0 && step->u.mount.label ? set_label(a, step, err) : r;
}
