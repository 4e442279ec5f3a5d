/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Acting on the container's root; plan_root.c says when and why. */
#include "runtime/late_attr.h"

#include "base/guard.h"
#include "os/mount.h"
#include "os/node.h"
#include "runtime/mount_words.h"
#include "runtime/step_target.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* A tree that nobody else has needs no copy; and before Linux 6.15 a detached one could not be copied. */
static int take_made_tree(struct act *a, const struct step *step, struct err *err)
{
	struct os_mount_attr attr = { .propagation = step->u.root_open.propagation };
	defer_close int fd = fcntl(*a->options->rootfs_tree, F_DUPFD_CLOEXEC, 3);
	int r;

	if (fd < 0)
		return err_sys(err, "take the mount of the rootfs");
	r = os_mount_setattr(fd, "", true, &attr);
	if (r < 0 && r != -ENOSYS)
		return err_set(err, r, "set the propagation of the rootfs");
	a->late_attrs |= r == -ENOSYS;
	a->fd[step->out] = take_fd(&fd);
	return 0;
}

/*
 * step_root_open() - the rootfs as a detached tree with all that is mounted below it
 *
 * Flags that its mounts have (nosuid, nodev) stay with the copy; nothing clears them silently (row
 * M-25).
 */
int step_root_open(struct act *a, const struct step *step, struct err *err)
{
	struct os_mount_attr attr = { .propagation = step->u.root_open.propagation };
	const char *path = step->u.root_open.path;
	defer_close int fd = -EBADF;
	bool late;

	if (step->u.root_open.made)
		return take_made_tree(a, step, err);
	if (!step->u.root_open.detached) {
		fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return err_sys(err, "open the rootfs \"%s\"", path);
		a->fd[step->out] = take_fd(&fd);
		return 0;
	}

	fd = os_tree_clone_attr(AT_FDCWD, path, AT_RECURSIVE, &attr, &late);
	if (fd < 0) {
		err_set(err, fd, "open the rootfs \"%s\"", path);
		if (fd == -EINVAL)
			err_hint(err, "it may be in a mount that is unbindable, or not in this "
				      "mount namespace");
		if (fd == -ENOSYS)
			err_hint(err, "it needs open_tree, Linux 5.2 or newer");
		return fd;
	}
	a->late_attrs |= late;
	a->fd[step->out] = take_fd(&fd);
	return 0;
}

static const char *propagation_name(uint64_t propagation)
{
	return propagation & MS_SHARED    ? "shared"
	       : propagation & MS_SLAVE   ? "slave"
	       : propagation & MS_PRIVATE ? "private"
					  : "unbindable";
}

int step_propagation(struct act *a, const struct step *step, struct err *err)
{
	uint64_t propagation = step->u.propagation.propagation;
	struct os_mount_attr attr = { .propagation = propagation };
	bool recursive = step->u.propagation.recursive;
	int r = os_mount_setattr(AT_FDCWD, "/", recursive, &attr);

	if (r == -ENOSYS)
		r = os_mount_attr_old("/", recursive, &attr);

	return r < 0 ? err_set(err, r, "make \"/\" %s", propagation_name(propagation)) : 0;
}

/*
 * step_root_attach() - put the rootfs on its own path, in the container's mount namespace
 *
 * The path is walked with the host's ids, which may do so. From here on the tree's fd is the root
 * of every step.
 */
int step_root_attach(struct act *a, const struct step *step, struct err *err)
{
	int r = os_tree_attach(a->fd[step->in[0]], AT_FDCWD, step->u.root_attach.path);

	if (r < 0)
		return err_set(err, r, "attach the rootfs on \"%s\"", step->u.root_attach.path);
	return late_attr_attached(a, step->in[0], err);
}

/* ---- the pivot ------------------------------------------------------------------------------- */

/* One line of mountinfo. Fields 5 and the one after " - ": where, and which filesystem. */
static bool parse_mountinfo(char *line, const char **ret_target, const char **ret_fstype)
{
	char *field = line, *end, *dash = strstr(line, " - ");

	if (!dash)
		return false;
	for (int i = 0; i < 4; i++) {
		field = strchr(field, ' ');
		if (!field)
			return false;
		field++;
	}
	end = strchr(field, ' ');
	if (!end)
		return false;
	*end = '\0';
	*ret_target = field;

	*ret_fstype = dash + 3;
	end = strchr(dash + 3, ' ');
	if (end)
		*end = '\0';
	return true;
}

/*
 * Take away one of the host's procfs or sysfs. In a user namespace the inherited mounts are locked,
 * so where umount is refused an empty tmpfs covers it: then it is not fully visible any more, which
 * is what the kernel asks for.
 */
static int hide_host_mount(const char *target, struct err *err)
{
	int r = os_umount(target, MNT_DETACH);

	if (r == -EINVAL || r == -EPERM)
		r = os_mount("tmpfs", target, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
			     NULL);
	return r < 0 ? err_set(err, r, "hide the host's \"%s\"", target) : 0;
}

static int hide_if_proc_or_sys(char *line, const char *rootfs, struct err *err)
{
	const char *target, *fstype;
	size_t len = strlen(rootfs);

	if (!parse_mountinfo(line, &target, &fstype))
		return 0;
	if (strcmp(fstype, "proc") != 0 && strcmp(fstype, "sysfs") != 0)
		return 0;
	if (strncmp(target, rootfs, len) == 0 && (target[len] == '/' || target[len] == '\0'))
		return 0;
	return hide_host_mount(target, err);
}

/*
 * With MS_MOVE and chroot the host's mounts stay in the namespace, out of sight. A procfs or sysfs
 * among them would let a user namespace mount a new one that shows all that masks hide, so they go
 * first (row M-5).
 */
static int hide_host_mounts(struct act *a, const struct step *step, struct err *err)
{
	defer_close int fd = -EBADF;
	char buf[8192];
	size_t have = 0;
	ssize_t n;

	fd = step->in[1] == SLOT_NONE
		     ? open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)
		     : openat(a->fd[step->in[1]], "self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open \"/proc/self/mountinfo\"");

	while ((n = read(fd, buf + have, sizeof(buf) - 1 - have)) > 0) {
		char *line = buf, *end;

		have += (size_t)n;
		buf[have] = '\0';
		while ((end = strchr(line, '\n'))) {
			int r;

			*end = '\0';
			r = hide_if_proc_or_sys(line, a->options->rootfs, err);
			if (r < 0)
				return r;
			line = end + 1;
		}
		have = strlen(line);
		memmove(buf, line, have + 1);
	}
	return n < 0 ? err_sys(err, "read \"/proc/self/mountinfo\"") : 0;
}

static int change_root(int root, struct err *err)
{
	int r = os_enter(root);

	if (r == 0)
		r = os_chroot_here();
	return r < 0 ? err_set(err, r, "chroot into the rootfs") : 0;
}

static int move_root(struct act *a, const struct step *step, struct err *err)
{
	int root = a->fd[step->in[0]];
	int r = GUARD(hide_mounts) ? hide_host_mounts(a, step, err) : 0;

	if (r < 0)
		return r;
	r = os_tree_attach(root, AT_FDCWD, "/");
	if (r < 0)
		return err_set(err, r, "move the rootfs over \"/\"");
	return change_root(root, err);
}

/*
 * step_pivot() - make the rootfs "/" and let go of the host's tree
 *
 * pivot_root(".", ".") needs no directory for the old root in the container: the old root lies over
 * the new one, and is what umount2 then finds at ".".
 *
 * Spec:  config.md "Root"; pivot_root(2) NOTES
 * Needs: CAP_SYS_ADMIN in the user namespace that owns the mount namespace
 */
int step_pivot(struct act *a, const struct step *step, struct err *err)
{
	int r;

	target_left(a);
	if (step->u.pivot.no_pivot)
		return move_root(a, step, err);

	r = os_enter(a->fd[step->in[0]]);
	if (r < 0)
		return err_set(err, r, "enter the rootfs");
	r = os_pivot_root(".", ".");
	if (r < 0) {
		err_set(err, r, "pivot_root into the rootfs");
		if (r == -EINVAL)
			err_hint(err, "where the host's root is a ramfs, as in an initrd, use "
				      "--no-pivot");
		return r;
	}
	r = os_umount(".", MNT_DETACH);
	if (r < 0)
		return err_set(err, r, "unmount the host's root");
	if (chdir("/") < 0)
		return err_sys(err, "enter the rootfs");
	return 0;
}

int step_chroot(struct act *a, const struct step *step, struct err *err)
{
	target_left(a);
	return change_root(a->fd[step->in[0]], err);
}

int step_root_readonly(struct act *a, const struct step *step, struct err *err)
{
	struct os_mount_attr attr = { .set = MOUNT_ATTR_RDONLY };
	int r = os_mount_setattr(AT_FDCWD, "/", false, &attr);

	if (r == -ENOSYS)
		r = os_mount_attr_old("/", false, &attr);

	return r < 0 ? err_set(err, r, "make the rootfs read-only") : 0;
}
