/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The actors for Intel RDT; what a group is, and what may be done to it, is in rdt.h. */
#include "runtime/act.h"

#include "os/file.h"
#include "runtime/rdt.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int step_rdt_group(struct act *a, const struct step *step, struct err *err)
{
	int dir = rdt_open(step->u.rdt_group.path, (enum rdt_wish)step->u.rdt_group.wish,
			   step->u.rdt_group.lines, &a->rdt_made, err);

	if (dir < 0)
		return dir;
	a->fd[step->out] = dir;
	return 0;
}

void undo_rdt_group(struct act *a, const struct step *step)
{
	struct err ignored = ERR_INIT;

	if (a->rdt_made)
		(void)!rdt_remove(step->u.rdt_group.path, &ignored);
}

int step_rdt_monitor(struct act *a, const struct step *step, struct err *err)
{
	int dir = rdt_open_monitor(step->u.rdt_monitor.path, err);

	if (dir < 0)
		return dir;
	a->fd[step->out] = dir;
	return 0;
}

void undo_rdt_monitor(struct act *a, const struct step *step)
{
	struct err ignored = ERR_INIT;

	if (a->fd[step->out] >= 0)
		(void)!rdt_remove(step->u.rdt_monitor.path, &ignored);
}

/* "0" is who writes it. Its children are born where it is. */
int step_rdt_join(struct act *a, const struct step *step, struct err *err)
{
	const char *path = step->u.rdt_join.path;
	char tasks[PATH_MAX];
	int dir = AT_FDCWD, r;

	snprintf(tasks, sizeof(tasks), "%s/tasks", path);
	if (step->in[0] != SLOT_NONE)
		dir = a->fd[step->in[0]];
	r = os_file_write_at(dir, dir == AT_FDCWD ? tasks : "tasks", "0", 1);
	return r < 0 ? err_set(err, r, "join \"%s\" of resctrl", path) : 0;
}
