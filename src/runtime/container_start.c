/* SPDX-License-Identifier: GPL-2.0-or-later */
/* start: let a created container's init go on, and see that it executes the program. */
#include "runtime/container.h"

#include "os/process.h"
#include "runtime/act.h"
#include "runtime/cleanup.h"
#include "runtime/planners.h"
#include "runtime/record.h"
#include "runtime/trace.h"

#include <stdio.h>
#include <string.h>

/* Spec: runtime.md "Start": any other status is an error and has no effect (row Y-20); runc's words */
static int check_status(const struct container *c, struct err *err)
{
	switch (c->status) {
	case CONTAINER_CREATED:
		break;
	case CONTAINER_STOPPED:
		return err_user(err, "cannot start a container that has stopped");
	case CONTAINER_RUNNING:
		return err_user(err, "cannot start an already running container");
	case CONTAINER_CREATING:
	case CONTAINER_PAUSED:
		return err_user(err, "cannot start a container in the %s state",
				container_status_names[c->status]);
	}
	if (!c->has_process) {
		err_user(err, "cannot start a container without a process");
		err_at(err, "/process");
		return err_hint(err,
				"config.json had no \"process\" when the container was created");
	}
	return 0;
}

/* The starter's list: the last part of create's, planned again from the saved config. */
static int plan_start(struct plan *plan, const struct container *c, const struct config *config,
		      const char *notify_socket, struct err *err)
{
	struct create_options options = {
		.id = c->id,
		.bundle = c->bundle,
		.rootfs = c->rootfs,
		.notify_socket = notify_socket,
	};
	struct planner_state state = {
		.plan = plan, .config = config, .options = &options, .has_notify = c->has_notify
	};

	return plan_started(&state, err);
}

static int act_start(struct plan *plan, int *dir, const struct container *c, struct record *record,
		     const struct trace_options *trace, const struct report *report,
		     struct err *err)
{
	const struct create_options options = { .report = report };
	struct act a;
	int r;

	act_init(&a, plan, &options, arena_array(&plan->arena, plan->n_slots + 1, sizeof(int)));
	a.state_dir = take_fd(dir);
	a.record = record;
	a.child_pid = c->pid;
	a.child_pidfd = os_process_open(c->pid, c->start_time);
	if (a.child_pidfd == -ESRCH)
		return err_user(err, "cannot start a container that has stopped");
	if (a.child_pidfd < 0)
		return err_set(err, a.child_pidfd, "find the container's init");
	r = act_page(&a, false);
	if (r < 0)
		return err_set(err, r, "make the shared page");

	r = act_run(&a, STEP_STARTER, 0, err);
	act_report_warnings(&a);
	if (trace && trace->stream)
		trace_write_start(trace, a.page, a.child_page);
	close(take_fd(&a.child_pidfd));
	close(take_fd(&a.state_dir));
	return r;
}

/*
 * A hook that fails takes the container with it: runtime.md "Lifecycle" steps 7 and 9 (since 1.3 for poststart too). A
 * program that can't be executed leaves a stopped container, as with the peers.
 */
static bool takes_container_along(const struct err *err)
{
	return strcmp(err->step_name, step_names[STEP_HOOK]) == 0;
}

int container_start(const char *root, const char *id, const char *notify_socket,
		    const struct trace_options *trace, const struct report *report, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	static const struct config without_hooks;
	const struct config *config = &without_hooks;
	struct record record = { .root = root, .id = id };
	struct err ignored = ERR_INIT;
	defer_close int dir = -EBADF;
	struct plan plan = { 0 };
	struct container c;
	struct config *saved;
	int r;

	r = container_open(&arena, root, id, &dir, &c, err);
	if (r == 0)
		r = check_status(&c, err);
	if (r < 0)
		return r;
	if (c.has_poststart || c.has_listener) {
		r = cleanup_config(&arena, dir, &saved, err);
		if (r < 0)
			return r;
		config = saved;
	}

	record_render(&arena, &c, &record);
	record.start_time = c.start_time;
	r = plan_start(&plan, &c, config, notify_socket, err);
	if (r == 0)
		r = act_start(&plan, &dir, &c, &record, trace, report, err);
	plan_clear(&plan);
	if (r < 0 && takes_container_along(err))
		(void)!container_delete(root, id, true, report, &ignored);
	return r;
}
