/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Labels of security modules: what a process runs as, and what its filesystems are to them. Only plan*.c includes this.
 */
#ifndef TARE_RUNTIME_PLAN_LABEL_H
#define TARE_RUNTIME_PLAN_LABEL_H

#include "runtime/planners.h"

/* label_keys() - the label of the keyring to come; before KEYRING */
void label_keys(struct planner_state *s, enum step_who who);

/*
 * label_process() - what the next program is executed as
 *
 * @who: the child; for an exec the stage, whose child inherits it, since the child has no procfs
 *
 * The last thing before CLOSE_FDS, since it goes through the host's procfs, and after the hooks, which are programs too.
 */
void label_process(struct planner_state *s, enum step_who who);

/*
 * label_mount_data() - a new filesystem's options with linux.mountLabel among them
 * @ret_label: for filesystems that take no such option but a label on their root; else NULL
 *
 * Return: @data itself where nothing is to be added; text in the plan's arena
 */
const char *label_mount_data(struct planner_state *s, const char *fstype, const char *data,
			     const char **ret_label);

#endif
