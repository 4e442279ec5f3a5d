/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mounting in the container's root, before the pivot. A new filesystem is mounted by mount(2) on "." after fchdir() to
 * the verified target: three calls, and no path that could change between two of them.
 */
#include "runtime/step_target.h"

#include "os/mount.h"
#include "os/path.h"
#include "runtime/mount_words.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

/* ---- why a filesystem could not be mounted ---------------------------------------------------------------------- */

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

/* ---- MOUNT ------------------------------------------------------------------------------------------------------ */

/*
 * A tmpfs gets the mode and owner of the directory that it covers, unless the config says otherwise (row M-6).
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
	/* Ids that the user namespace does not map show as the overflow id and could not be given back. */
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

/* What needs the new mount itself: its propagation, or to work in it. */
static int finish_mount(struct act *a, const struct step *step, struct err *err)
{
	struct os_mount_attr attr = { .propagation = step->u.mount.propagation };
	defer_drop int fd = -EBADF;
	int r;

	if (!step->u.mount.propagation && !step->u.mount.enter)
		return 0;
	fd = open_mounted(a, step, err);
	if (fd < 0)
		return fd;
	if (step->u.mount.propagation) {
		r = os_mount_setattr(fd, "", false, &attr);
		if (r < 0)
			return err_set(err, r, "set the propagation of \"%s\"",
				       step->u.mount.target);
	}
	if (step->u.mount.enter) {
		if (fchdir(fd) < 0)
			return err_sys(err, "enter \"%s\"", step->u.mount.target);
		a->cwd = step->u.mount.target;
		a->cwd_len = strlen(step->u.mount.target);
	}
	return 0;
}

/* A directory of its own in the tmpfs that was mounted just before, which nobody else can reach. */
static int make_here(struct act *a, const struct step *step, const char *target,
		     const char **ret_name, struct err *err)
{
	int r = target_enter_parent(a, a->fd[step->in[0]], target, ret_name, err);

	if (r < 0)
		return r;
	return mkdir(*ret_name, 0755) < 0 ? err_sys(err, "make \"%s\"", target) : 0;
}

static int mount_here(struct act *a, const struct step *step, struct err *err)
{
	const char *name;
	int r = make_here(a, step, step->u.mount.target, &name, err);

	if (r < 0)
		return r;
	r = os_mount(step->u.mount.source, name, step->u.mount.fstype, step->u.mount.flags,
		     step->u.mount.data);
	return r < 0 ? explain_mount(r, step, step->u.mount.data, err) : 0;
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
	if (fchdir(target) < 0)
		return err_sys(err, "enter \"%s\"", step->u.mount.target);
	if (step->u.mount.keep_mode) {
		r = add_mode(target, data, longer, &data);
		if (r < 0)
			return err_set(err, r, "keep the mode of \"%s\"", step->u.mount.target);
	}
	r = os_mount(step->u.mount.source, ".", step->u.mount.fstype, step->u.mount.flags, data);
	if (r < 0)
		return explain_mount(r, step, data, err);
	return finish_mount(a, step, err);
}

static int remount_attr(int fd, const struct step *step)
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
		r = os_mount_setattr(fd, "", true, &tree);
	if (r == 0 && (top.set || top.clr || top.propagation))
		r = os_mount_setattr(fd, "", false, &top);
	return r;
}

/* MS_REMOUNT of the filesystem resets every mount flag that it does not name, so name those that are there. */
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

	if (fstatvfs(fd, &now) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		if (now.f_flag & kept[i].st && !(step->u.mount.attr_clr & kept[i].attr))
			flags |= kept[i].ms;
	}
	if (now.f_flag & ST_RDONLY && !(step->u.mount.attr_clr & MOUNT_ATTR_RDONLY))
		flags |= MS_RDONLY;
	if (fchdir(fd) < 0)
		return -errno;
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
		r = remount_attr(fd, step);
	if (r < 0) {
		err_set(err, r, "remount \"%s\"", step->u.mount.target);
		if (r == -EINVAL)
			err_hint(err, "nothing may be mounted there, or the filesystem does not "
				      "take these options");
	}
	return r;
}

int step_mount(struct act *a, const struct step *step, struct err *err)
{
	if (step->u.mount.remount)
		return remount(a, step, err);
	if (step->u.mount.here)
		return mount_here(a, step, err);
	return mount_new(a, step, err);
}

/* ---- ATTACH ----------------------------------------------------------------------------------------------------- */

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
	if (symlinkat(text, AT_FDCWD, name) < 0)
		return err_sys(err, "make the link \"%s\"", path);
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

/* Whatever is on /proc is asked for process attributes later: it must be a procfs (CVE-2019-16884). */
static int check_proc(int tree, const struct step *step, struct err *err)
{
	struct statfs fs;

	if (fstatfs(tree, &fs) < 0)
		return err_sys(err, "look at \"%s\"", step->u.attach.source);
	if (fs.f_type != PROC_SUPER_MAGIC)
		return err_set(err, -EINVAL, "mount \"%s\" on \"/proc\": it is not a procfs",
			       step->u.attach.source);
	return 0;
}

static int attach_here(struct act *a, const struct step *step, struct err *err)
{
	const char *name;
	int r = make_here(a, step, step->u.attach.target, &name, err);

	if (r < 0)
		return r;
	r = os_tree_attach(a->fd[step->in[1]], AT_FDCWD, name);
	return r < 0 ? err_set(err, r, "mount \"%s\" on \"%s\"", step->u.attach.source,
			       step->u.attach.target)
		     : 0;
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
	struct stat st;

	if (step->u.attach.here)
		return attach_here(a, step, err);
	target_left(a);
	if (fstat(tree, &st) < 0)
		return err_sys(err, "look at \"%s\"", step->u.attach.source);
	if (S_ISLNK(st.st_mode) && step->u.attach.copy_symlink)
		return copy_symlink(a, step, tree, err);
	if (step->u.attach.need_proc) {
		r = check_proc(tree, step, err);
		if (r < 0)
			return r;
	}

	target = target_open(a, root, step->u.attach.target, flags,
			     S_ISDIR(st.st_mode) ? TARGET_MAKE_DIR : TARGET_MAKE_FILE, err);
	if (target < 0)
		return target;
	r = os_tree_attach(tree, target, "");
	return r < 0 ? explain_attach(r, tree, target, step, err) : 0;
}
