/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing the limits of a cgroup that is in use: the writes that are due, in an order that the kernel accepts at every step,
 * each with the value that takes it back.
 *
 * Due is what a property that was given asks for, and what its change entails: on v2, where swap is counted alone, another
 * limit of memory gives another limit of swap. The order depends on what is in force: a limit grows after the one that
 * bounds it and shrinks before it. Devices are not among the writes, see update_devices.h.
 *
 * Rows K-15, C-9
 */
#ifndef TARE_CGROUP_UPDATE_H
#define TARE_CGROUP_UPDATE_H

#include "cgroup/knobs.h"
#include "spec/resources.h"

struct cgroup_change {
	struct cgroup_write write;
	const char *before; /* takes it back; NULL if that can't be told */
	bool done;
};

struct cgroup_changes {
	struct cgroup_change *items;
	size_t n;
	const char *v2_needed; /* controllers that the v2 writes need */
};

/*
 * cgroup_changes_plan() - what @change asks for, in the order of the knobs. Pure
 * @layout: of the hierarchies in which the container has a cgroup
 *
 * Return: 0; -EINVAL and *err with a pointer, when this host can't express something
 */
int cgroup_changes_plan(struct arena *arena, const struct resources_change *change,
			const struct cgroup_layout *layout, struct cgroup_changes *ret,
			struct err *err) MUST_CHECK;

/* cgroup_changes_order() - the order for what is in force, by the changes' `before`. Pure */
void cgroup_changes_order(struct cgroup_changes *changes);

/*
 * cgroup_changes_apply() - read what is in force, order, write
 * @dirs: the container's cgroup in each hierarchy of the layout
 *
 * Return: 0; -errno, and what was written is written back as far as possible: see cgroup_changes_undo()
 */
int cgroup_changes_apply(struct arena *arena, struct cgroup_changes *changes,
			 const struct cgroup_dir *dirs, struct err *err) MUST_CHECK;

/*
 * cgroup_changes_again() - write once more what was applied, where somebody else has written since. Not undone on failure
 * Return: 0; -errno
 */
int cgroup_changes_again(struct cgroup_changes *changes, const struct cgroup_dir *dirs,
			 struct err *err) MUST_CHECK;

/*
 * cgroup_changes_undo() - take back all that is done
 * @err: the error that made it necessary; gains a hint that names what could not be taken back
 */
void cgroup_changes_undo(struct cgroup_changes *changes, const struct cgroup_dir *dirs,
			 struct err *err);

#endif
