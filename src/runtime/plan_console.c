/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The container's terminal. Its pty is made by the child, in the container's own devpts; the master
 * goes to the caller's socket, or, for a `run` in the foreground, to the parent, which relays it.
 *
 * Spec: runtime-spec config.md "process.terminal", "consoleSize"; config-linux.md "/dev/console"
 *       (rows P-1, P-2, L-14)
 */
#include "runtime/planners.h"

static bool wants_terminal(const struct planner_state *s)
{
	return s->config->process.set && s->config->process.terminal;
}

/* Who would get the master, if anybody? The rules are runc's, which callers know. */
static int check_socket(const struct planner_state *s, struct err *err)
{
	const struct create_options *o = s->options;

	if (wants_terminal(s) && !o->foreground && !o->console_socket) {
		err_user(err, "the process wants a terminal, but nobody would have its other end");
		err_at(err, "/process/terminal");
		return err_hint(err, "give --console-socket, or run in the foreground");
	}
	if (o->console_socket && o->foreground)
		return err_user(
			err,
			"a console socket is of no use to a run in the foreground: use --detach");
	if (o->console_socket && !wants_terminal(s)) {
		err_user(err, "a console socket was given, but the process has no terminal");
		err_at(err, "/process/terminal");
		return err_hint(err, "set process.terminal, or leave --console-socket out");
	}
	return 0;
}

/*
 * plan_console_connect() - reach the caller's socket before anything is made, so that a wrong path
 * costs nothing
 */
int plan_console_connect(struct planner_state *s, struct err *err)
{
	struct step *step;
	int r;

	r = check_socket(s, err);
	if (r < 0 || !s->options->console_socket)
		return r;

	s->slots.console_socket = plan_slot(s->plan, "console socket");
	step = plan_add(s->plan, STEP_PARENT, STEP_CONSOLE_SOCKET, "");
	step->out = s->slots.console_socket;
	step->u.console_socket.path = plan_strdup(s->plan, s->options->console_socket);
	return 0;
}

/*
 * plan_console() - the pty, after the mounts that it needs and before the rootfs's /dev can be
 * read-only
 */
int plan_console(struct planner_state *s, struct err *err)
{
	const struct config_process *process = &s->config->process;
	struct step *step;

	if (!wants_terminal(s))
		return 0;

	step = plan_add(s->plan, STEP_CHILD, STEP_CONSOLE, "/process/terminal");
	step->in[0] = s->slots.rootfs;
	step->in[1] = s->slots.console_socket;
	step->u.console.send_to_parent = s->slots.console_socket == SLOT_NONE;
	step->u.console.height = process->console_height;
	step->u.console.width = process->console_width;
	/* Elsewhere it would be a mount in somebody else's namespace. */
	step->u.console.mount_dev_console = s_ns_new(s, NS_MOUNT);

	if (step->u.console.send_to_parent)
		plan_add(s->plan, STEP_PARENT, STEP_CONSOLE_RECEIVE, "/process/terminal");
	return 0;
}
