/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record on disk, and the hand-overs around `created` and `start`. */
#include "runtime/plan_listener.h"
#include "spec/annotations.h"

/* Nobody writes one by accident, so who did is told that it has no effect. */
static void warn_of_missed(struct planner_state *s)
{
	const struct key_value_list *annotations = &s->config->annotations;

	for (size_t i = 0; i < annotations->n; i++) {
		if (annotation_is_missed(annotations->items[i].key))
			plan_warn(s->plan, "annotation \"%s\" has no effect: tare does not know it",
				  annotations->items[i].key);
	}
}

int plan_state_make(struct planner_state *s, struct err *err)
{
	if (s->options->run && !s->config->process.set) {
		err_user(err, "run a container without a process");
		err_hint(err, "add \"process\" to config.json, or use create");
		return err_at(err, "/process");
	}
	warn_of_missed(s);
	plan_add(s->plan, STEP_PARENT, STEP_STATE_MAKE, "");
	return 0;
}

/* The parent binds the socket, since only it may reach the state directory; the child listens on it. */
int plan_start_bind(struct planner_state *s, struct err *err)
{
	struct step *step;

	s->start_socket = SLOT_NONE;
	if (s->options->run)
		return 0;
	step = plan_add(s->plan, STEP_PARENT, STEP_START_BIND, "");
	step->out = s->start_socket = plan_slot(s->plan, "start-socket");
	return 0;
}

void plan_tell_pid(struct planner_state *s)
{
	const struct create_options *o = s->options;
	struct plan *plan = s->plan;

	if (o->pid_file)
		plan_add(plan, STEP_PARENT, STEP_PID_FILE, "")->u.pid_file.path =
			plan_strdup(plan, o->pid_file);
	if (o->pidfd_socket)
		plan_add(plan, STEP_PARENT, STEP_PIDFD_SEND, "")->u.pidfd_send.path =
			plan_strdup(plan, o->pidfd_socket);
}

/* The same by annotation, for the container's init only: what exec adds has its own options. Requirements 3.1 */
static void tell_receiver(struct planner_state *s)
{
	const char *path = annotation_value(&s->config->annotations, ANNOTATION_PIDFD_RECEIVER);

	if (path)
		plan_add(s->plan, STEP_PARENT, STEP_PIDFD_SEND,
			 "/annotations/" ANNOTATION_PIDFD_RECEIVER)
			->u.pidfd_send.path = plan_strdup(s->plan, path);
}

/*
 * plan_created() - hand-over at the point which the spec calls created
 *
 * The child waits for RELEASED before it may outlive the parent: a runtime that is killed before its record says
 * `created` leaves a child that sees the end of the socket and ends too.
 *
 * Spec: runtime.md "Lifecycle" steps 2 to 6
 */
int plan_created(struct planner_state *s, struct err *err)
{
	const struct create_options *o = s->options;
	bool executes_soon = o->run && s->config->hooks[HOOK_START_CONTAINER].n == 0;
	struct plan *plan = s->plan;
	struct step *step;
	int r;

	if (!o->run)
		plan_add(plan, STEP_CHILD, STEP_START_LISTEN, "")->in[0] = s->start_socket;
	plan_add(plan, STEP_CHILD, STEP_SYNC_SEND, "")->u.sync_send.token = SYNC_CREATED;
	plan_add(plan, STEP_PARENT, STEP_SYNC_WAIT, "")->u.sync_wait.token = SYNC_CREATED;
	plan_unit_joined(s);
	r = plan_scheduling(s, err);
	if (r < 0)
		return r;
	plan_tell_pid(s);
	tell_receiver(s);
	if (o->run)
		listener_connect(s, STEP_PARENT);
	/* run without a hook that could look: the record is written once. */
	plan_add(plan, STEP_PARENT, STEP_STATE_WRITE, "")->u.state_write.status =
		executes_soon ? "running" : "created";
	plan_add(plan, STEP_PARENT, STEP_SYNC_SEND, "")->u.sync_send.token = SYNC_RELEASED;
	plan_add(plan, STEP_CHILD, STEP_SYNC_WAIT, "")->u.sync_wait.token = SYNC_RELEASED;
	if (!o->run) {
		step = plan_add(plan, STEP_CHILD, STEP_START_ACCEPT, "");
		step->in[0] = s->start_socket;
	}
	return 0;
}

/* What `start` does, or run in its place. Spec: runtime.md "Lifecycle" steps 8 and 9, "Start" */
int plan_started(struct planner_state *s, struct err *err)
{
	bool run = s->options->run;
	enum step_who who = run ? STEP_PARENT : STEP_STARTER;
	struct plan *plan = s->plan;
	int r;

	if (!run) {
		listener_connect(s, who);
		plan_notify_bind(s);
		plan_add(plan, who, STEP_START_CONNECT, "");
	}
	listener_send(s, who, "creating", 0);
	plan_add(plan, who, STEP_EXEC_WAIT, "");
	if (!run || s->config->hooks[HOOK_START_CONTAINER].n > 0)
		plan_add(plan, who, STEP_STATE_WRITE, "")->u.state_write.status = "running";
	r = plan_poststart_hooks(s, who, err);
	if (r == 0)
		plan_notify_relay(s, who);
	return r;
}
