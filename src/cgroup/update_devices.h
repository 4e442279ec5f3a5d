/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing the device rules of a cgroup that is in use, without a moment in which the rules in force are neither the old nor
 * the new ones (row K-1).
 *
 * v2: the new program takes the old one's place in one step. v1: lists of what is allowed are changed entry by entry, what is
 * new first, so that a device in both is never closed. A list of the other kind has to be written anew, which begins with
 * everything or nothing; the processes are frozen for that time.
 */
#ifndef TARE_CGROUP_UPDATE_DEVICES_H
#define TARE_CGROUP_UPDATE_DEVICES_H

#include "cgroup/devices.h"
#include "cgroup/layout.h"

/* From one list of v1 to another: lines for its two files, in this order. */
struct device_change {
	bool anew; /* first "a" to devices.allow if `all`, else to devices.deny */
	bool all;
	const char *own;    /* lines of tare's own rules that a parent cgroup may refuse */
	const char *add;    /* to devices.allow; with `all` to devices.deny */
	const char *remove; /* to devices.deny; unless `anew` */
};

/*
 * device_list_change() - what makes @target of what devices.list says. Pure
 * @current: text of devices.list
 */
void device_list_change(struct arena *arena, const char *current, const struct device_list *target,
			struct device_change *ret);

/*
 * cgroup_devices_update() - put @rules in force
 * @layout, @dirs: the hierarchies in which the container has a cgroup, and that cgroup in each
 *
 * Return: 0; -EINVAL when v1 can't express them; -EOPNOTSUPP when no hierarchy has device rules; -errno. What failed in the
 * middle of a list is taken back.
 */
int cgroup_devices_update(struct arena *arena, const struct device_rules *rules,
			  const struct cgroup_layout *layout, const struct cgroup_dir *dirs,
			  struct err *err) MUST_CHECK;

#endif
