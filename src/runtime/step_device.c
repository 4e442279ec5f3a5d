/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nodes and links, made in a directory that is held open as the working directory: an image's /dev
 * that is a link cannot lead them out of the rootfs (CVE-2026-41579).
 */
#include "runtime/late_attr.h"
#include "runtime/step_target.h"

#include "os/mount.h"
#include "os/node.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

static mode_t node_type(char type)
{
	return type == 'b' ? S_IFBLK : type == 'p' ? S_IFIFO : S_IFCHR;
}

/*
 * Something is there already. The very device is fine, with its mode and owner put right; anything
 * else is an error, since whoever opens the path would get what the config does not say.
 *
 * Spec: config-linux.md "Devices": an existing file that does not match is an error (row L-8)
 */
static int accept_existing(const struct step *step, const char *name, mode_t mode, dev_t rdev,
			   struct err *err)
{
	const char *path = step->u.device.path;
	struct stat st;
	int r = 0;

	if (fstatat(AT_FDCWD, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "look at device \"%s\"", path);
	if ((st.st_mode & S_IFMT) != (mode & S_IFMT) || (!S_ISFIFO(mode) && st.st_rdev != rdev)) {
		err_set(err, -EEXIST, "make device \"%s\" (%c %u:%u): something else has that name",
			path, step->u.device.type, step->u.device.major, step->u.device.minor);
		return err_hint(err, "remove it from the rootfs, or mount a tmpfs on /dev");
	}
	if (step->u.device.must_exist)
		return 0;
	if ((st.st_mode & 07777) != (mode & 07777))
		r = os_node_mode(AT_FDCWD, name, mode & 07777);
	if (r == 0 && (st.st_uid != step->u.device.uid || st.st_gid != step->u.device.gid))
		r = os_node_owner(AT_FDCWD, name, step->u.device.uid, step->u.device.gid);
	return r < 0 ? err_set(err, r, "set mode and owner of device \"%s\"", path) : 0;
}

static int check_only(const struct step *step, const char *name, mode_t mode, dev_t rdev,
		      struct err *err)
{
	if (faccessat(AT_FDCWD, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
		return accept_existing(step, name, mode, rdev, err);
	err_set(err, -ENOENT, "find device \"%s\"", step->u.device.path);
	return err_hint(err, "its directory is a bind of the host's, where tare makes no devices");
}

static int make_node(struct act *a, const struct step *step, const char *name, mode_t mode,
		     dev_t rdev, struct err *err)
{
	const char *path = step->u.device.path;
	int r = os_mknod(AT_FDCWD, name, mode, rdev);

	if (r == -EEXIST)
		return accept_existing(step, name, mode, rdev, err);
	if (r < 0) {
		err_set(err, r, "make device \"%s\" (%c %u:%u)", path, step->u.device.type,
			step->u.device.major, step->u.device.minor);
		if (r == -EPERM)
			err_hint(err, "mknod needs CAP_MKNOD on the host");
		return r;
	}
	if (step->u.device.on_rootfs)
		act_made_by_step(a, path);
	if (step->u.device.uid == 0 && step->u.device.gid == 0)
		return 0;
	r = os_node_owner(AT_FDCWD, name, step->u.device.uid, step->u.device.gid);
	return r < 0 ? err_set(err, r, "set the owner of device \"%s\"", path) : 0;
}

int step_device(struct act *a, const struct step *step, struct err *err)
{
	mode_t mode = node_type(step->u.device.type) | step->u.device.mode;
	dev_t rdev = step->u.device.type == 'p'
			     ? 0
			     : makedev(step->u.device.major, step->u.device.minor);
	const char *name;
	int r;

	r = target_enter_parent(a, a->fd[step->in[0]], step->u.device.path, &name, err);
	if (r < 0)
		return r;
	/*
	 * The mode is exact whatever the umask (row M-21). A row of nodes shares one change of it.
	 */
	if (step->u.device.first)
		a->umask = umask(0);
	if (step->u.device.must_exist)
		r = check_only(step, name, mode, rdev, err);
	else
		r = make_node(a, step, name, mode, rdev, err);
	if (step->u.device.last)
		umask(a->umask);
	return r;
}

/*
 * What the host's node may be bound over: a file that is made for it, or was; or the device itself.
 */
static int check_place(const struct step *step, const char *name, struct err *err)
{
	dev_t rdev = makedev(step->u.device_bind.major, step->u.device_bind.minor);
	struct stat st;

	if (fstatat(AT_FDCWD, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "look at \"%s\"", step->u.device_bind.path);
	if (S_ISREG(st.st_mode))
		return 0;
	if ((st.st_mode & S_IFMT) == node_type(step->u.device_bind.type) && st.st_rdev == rdev)
		return 0;
	return err_set(err, -EEXIST, "bind device \"%s\" (%c %u:%u): something else has that name",
		       step->u.device_bind.path, step->u.device_bind.type,
		       step->u.device_bind.major, step->u.device_bind.minor);
}

int step_device_bind(struct act *a, const struct step *step, struct err *err)
{
	const char *path = step->u.device_bind.path, *name;
	int r;

	r = target_enter_parent(a, a->fd[step->in[0]], path, &name, err);
	if (r < 0)
		return r;
	r = os_mknod(AT_FDCWD, name, S_IFREG | 0755, 0);
	if (r == 0 && step->u.device_bind.on_rootfs)
		act_made(a, AT_FDCWD, path, name);
	if (r == -EEXIST)
		r = check_place(step, name, err);
	else if (r < 0)
		return err_set(err, r, "make a place for device \"%s\"", path);
	if (r < 0)
		return r;
	r = os_tree_attach(a->fd[step->in[1]], AT_FDCWD, name);
	if (r < 0)
		return err_set(err, r, "bind device \"%s\"", path);
	return late_attr_attached(a, step->in[1], err);
}

/* ---- links ----------------------------------------------------------------------------------- */

static bool link_says(const char *name, const char *text)
{
	size_t len = strlen(text);
	char now[PATH_MAX];
	ssize_t n = readlinkat(AT_FDCWD, name, now, sizeof(now));

	return n >= 0 && (size_t)n == len && memcmp(now, text, len) == 0;
}

int step_symlink(struct act *a, const struct step *step, struct err *err)
{
	const char *path = step->u.symlink.path, *text = step->u.symlink.target, *name;
	int r;

	if (step->in[1] != SLOT_NONE)
		r = target_enter_own(a, a->fd[step->in[1]], path, &name, err);
	else
		r = target_enter_parent(a, a->fd[step->in[0]], path, &name, err);
	if (r < 0)
		return r;
	r = os_symlink(text, AT_FDCWD, name);
	if (r == -EEXIST && (!step->u.symlink.replace || link_says(name, text)))
		return 0;
	if (r == -EEXIST) {
		r = os_unlink(AT_FDCWD, name);
		if (r == 0)
			r = os_symlink(text, AT_FDCWD, name);
	}
	if (r < 0)
		return err_set(err, r, "link \"%s\" to \"%s\"", path, text);
	if (step->u.symlink.on_rootfs)
		act_made_by_step(a, path);
	return 0;
}
