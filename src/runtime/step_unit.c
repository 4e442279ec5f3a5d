/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The actors for units of systemd's. All run in the parent. */
#include "runtime/act.h"

#include "os/dir.h"
#include "os/process.h"
#include "runtime/record.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

/*
 * Who is in the unit until the init is: does nothing, and ends with the runtime, so that a unit of a killed one is empty
 * and goes by itself. It has no file: the ends of the init's socket and the locks must not live on in it.
 */
static void hold(pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)close_range(0, ~0U, 0);
	while (getppid() == parent)
		(void)pause();
	_exit(0);
}

static void end_holder(struct act *a)
{
	int status;

	if (a->unit_holder <= 0)
		return;
	(void)kill(a->unit_holder, SIGKILL);
	(void)os_reap(a->unit_holder, &status);
	a->unit_holder = 0;
}

/* The line of /proc/PID/cgroup that tells where systemd has put it: v2's, else v1's name=systemd. */
static const char *find_place(char *text)
{
	const char *place = NULL;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		if (strncmp(line, "0::", 3) == 0)
			return line + 3;
		if (strstr(line, ":name=systemd:"))
			place = strchr(strchr(line, ':') + 1, ':') + 1;
	}
	return place;
}

/* The record names the cgroup already, so it has to be that very one. */
static int check_place(const struct act *a, const struct step *step, struct err *err)
{
	char path[40], text[8192];
	const char *place;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)a->unit_holder);
	n = os_read_at(AT_FDCWD, path, text, sizeof(text));
	if (n < 0)
		return err_set(err, (int)n, "find the cgroup of unit \"%s\"",
			       step->u.unit_start.unit.name);
	place = find_place(text);
	if (place && strcmp(place, step->u.unit_start.cgroup) == 0)
		return 0;
	err_user_code(err, -EXDEV,
		      "start unit \"%s\": systemd has made it in cgroup \"%s\", not in \"%s\"",
		      step->u.unit_start.unit.name, place ? place : "?", step->u.unit_start.cgroup);
	err->kind = ERR_SYSTEM;
	return err_hint(err, "this systemd is not at the root of the cgroup mount that tare-oci "
			     "sees; use cgroups by file");
}

/* step_unit_start() - have systemd make the unit. Needs: root, or to be the user whose manager it is */
int step_unit_start(struct act *a, const struct step *step, struct err *err)
{
	pid_t self = getpid();
	int pidfd = -EBADF, r;

	if (step->out != SLOT_NONE) {
		a->unit_holder = os_clone3(0, -1, &pidfd);
		if (a->unit_holder == 0)
			hold(self);
		if (a->unit_holder < 0)
			return err_set(err, (int)a->unit_holder, "fork a process for unit \"%s\"",
				       step->u.unit_start.unit.name);
		a->fd[step->out] = pidfd;
	}
	r = unit_start(&step->u.unit_start.unit, &step->u.unit_start.properties, a->unit_holder,
		       &a->unit_started, err);
	if (r == 0 && a->unit_holder > 0)
		r = check_place(a, step, err);
	if (r < 0)
		return r;
	/* From now on whoever finds our rest may stop it. Killed before this, the holder goes, and the unit with it. */
	a->record->unit_ours = true;
	return record_write(a->state_dir, a->record, "creating", 0, err);
}

void undo_unit_start(struct act *a, const struct step *step)
{
	struct err ignored = ERR_INIT;

	end_holder(a);
	if (a->unit_started)
		(void)!unit_stop(&step->u.unit_start.unit, &ignored);
}

int step_unit_leave(struct act *a, const struct step *step, struct err *err)
{
	end_holder(a);
	return 0;
}

int step_unit_set(struct act *a, const struct step *step, struct err *err)
{
	return unit_set(&step->u.unit_set.unit, &step->u.unit_set.properties, err);
}
