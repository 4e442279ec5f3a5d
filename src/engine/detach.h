/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a container that lives on its own. A process of its own starts it and becomes its monitor
 * (docs/design/030-the-monitor.md); the caller hears how that went, and may end.
 */
#ifndef TARE_ENGINE_DETACH_H
#define TARE_ENGINE_DETACH_H

#include "engine/launch.h"

#define MONITOR_PROGRAM "tare-monitor"
#define MONITOR_END     "monitor-end" /* the command of tare that the monitor becomes */

struct detach {
	const struct roots *roots;
	const struct container_dir *dir; /* locked; the monitor has the lock as well from then on */
	const struct container_record *record;
	const int *rootfs_tree; /* as of create_options; NULL: the bundle's rootfs */
	bool terminal;          /* it has one of its own */
	bool interactive;       /* what it reads stays open; else there is nothing to read */
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

#endif
