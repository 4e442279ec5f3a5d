/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a container that lives on its own. A process of its own starts it and becomes its monitor
 * (docs/design/030-the-monitor.md); the caller hears how that went, and may end.
 */
#ifndef TARE_ENGINE_DETACH_H
#define TARE_ENGINE_DETACH_H

#include "engine/launch.h"

#define MONITOR_PROGRAM "tare-monitor"
/* The commands of tare that the monitor becomes: when the container has ended, and when it is time to start it again */
#define MONITOR_END   "monitor-end"
#define MONITOR_START "monitor-start"

struct detach {
	const struct roots *roots;
	const struct container_dir *dir; /* locked; the monitor has the lock as well from then on */
	const struct container_record *record;
	const int *rootfs_tree; /* as of create_options; NULL: the bundle's rootfs */
	enum cgroup_manager cgroups;
	/* what the clean-up after its end is called with */
	const char *self;                  /* argv[0] of this program, to find the others by */
	const char *log_path, *log_format; /* as given; NULL */
	const struct report *report;
};

/*
 * detach_start() - start the container, with a monitor
 *
 * On failure nothing of its start is left; the container's directory stays the caller's.
 * Return: 0 once its program runs and is watched; -errno, with the whole chain
 */
int detach_start(struct arena *arena, const struct detach *detach, struct err *err) MUST_CHECK;

/*
 * detach_become() - the same in this very process, which is nobody's any more: it becomes the monitor
 * Return: -errno; not at all if it worked
 */
int detach_become(struct arena *arena, const struct detach *detach, struct err *err) MUST_CHECK;

/*
 * detach_delay() - become a monitor that waits, and then becomes `tare monitor-start`
 * Return: -errno; not at all if it worked
 */
int detach_delay(struct arena *arena, const struct detach *detach, uint64_t ms,
		 struct err *err) MUST_CHECK;

#endif
