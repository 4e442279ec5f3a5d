/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mount options and propagation where the kernel has no mount_setattr(2), that is before Linux 5.12.
 *
 * mount(2) does the same, but not to a detached tree: what the parent opens stays as it is until the child has attached it
 * (act.late_attrs says so), and gets its options then, from the step that opened it. A mount is named to mount(2) through
 * /proc/self/fd of the host's /proc, which is held for that: what the container has on its own /proc is not to be
 * trusted, and a path could lead elsewhere by then.
 *
 * Options for a whole tree are given to one mount after the other, as mountinfo lists them. What only the new call can do
 * is refused: id mappings.
 */
#ifndef TARE_RUNTIME_LATE_ATTR_H
#define TARE_RUNTIME_LATE_ATTR_H

#include "runtime/act.h"

#include "os/mount.h"

#define LATE_ATTR_HINT "it needs mount_setattr, Linux 5.12 or newer"

/*
 * late_attr_set() - os_mount_setattr() of an attached mount, whatever the kernel
 * @fd: the mount's root
 *
 * Return: 0; -ENOSYS if this kernel can't, with LATE_ATTR_HINT to give; -errno
 */
int late_attr_set(struct act *a, int fd, bool recursive,
		  const struct os_mount_attr *attr) MUST_CHECK;

/* late_attr_attached() - the tree in @slot is attached now: give it what it could not get before. Return: 0; -errno */
int late_attr_attached(struct act *a, int slot, struct err *err) MUST_CHECK;

/* source_attrs() - what SOURCE_OPEN gives its tree: first @ret_tree, to all of it if it is recursive, then @ret_top */
void source_attrs(const struct step *step, struct os_mount_attr *ret_tree,
		  struct os_mount_attr *ret_top);

/* What NOTIFY_MAKE gives its tree. */
extern const struct os_mount_attr notify_attr;

#endif
