/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NOTIFY_SOCKET: a service manager wants to hear from the container. The manager's own socket is no good inside: it judges
 * by the sender's pid and cgroup. So the container gets one of ours, alone in a directory of the state directory, and
 * whoever starts the container passes its readiness on.
 *
 * Spec: none; sd_notify(3), and as runc does (requirements 2.2 "Environment")
 */
#include "runtime/notify.h"
#include "runtime/planners.h"

#include "os/notify.h"

/* Whether there is somebody to tell, and a way to give the container the socket. */
static bool is_wanted(struct planner_state *s)
{
	const char *host = s->options->notify_socket;

	if (!host || !host[0])
		return false;
	if (!os_notify_is_path(host)) {
		plan_warn(s->plan,
			  NOTIFY_ENV " is \"%.200s\", no unix socket: the container's readiness is "
				     "not passed on",
			  host);
		return false;
	}
	if (!s_ns_new(s, NS_MOUNT)) {
		plan_warn(s->plan,
			  "without a mount namespace of its own the container gets no " NOTIFY_ENV);
		return false;
	}
	return true;
}

static void add_bind(struct planner_state *s, enum step_who who)
{
	struct step *step = plan_add(s->plan, who, STEP_NOTIFY_BIND, "");

	step->out = s->notify_socket = plan_slot(s->plan, "notify-socket");
}

/* plan_notify() - the directory, as a tree for the container; in a run the socket in it, too */
int plan_notify(struct planner_state *s, struct err *err)
{
	struct step *step;

	if (!is_wanted(s))
		return 0;
	step = plan_add(s->plan, STEP_PARENT, STEP_NOTIFY_MAKE, "");
	step->out = s->notify_dir = plan_slot(s->plan, "notify-directory");
	s->has_notify = true;
	if (s->options->run)
		add_bind(s, STEP_PARENT);
	return 0;
}

/* plan_notify_attach() - after the config's mounts, of which one may be on /run */
int plan_notify_attach(struct planner_state *s, struct err *err)
{
	struct step *step;

	if (!s->has_notify)
		return 0;
	step = plan_add(s->plan, STEP_CHILD, STEP_ATTACH, "");
	step->in[0] = s->slots.rootfs;
	step->in[1] = s->notify_dir;
	step->u.attach.target = NOTIFY_TARGET;
	step->u.attach.source = NOTIFY_DIR;
	return 0;
}

/*
 * plan_notify_bind() - by `start`, before the container goes on; @s->has_notify says whether create made the directory
 *
 * Between create and start nobody is there to listen, and the container has no program that could speak.
 */
void plan_notify_bind(struct planner_state *s)
{
	const char *host = s->options->notify_socket;

	if (!host || !os_notify_is_path(host))
		s->has_notify = false;
	if (s->has_notify)
		add_bind(s, STEP_STARTER);
}

/*
 * plan_notify_relay() - wait until the container is ready, or has ended
 *
 * That can take as long as the container lives: it is what a service manager asks for that set NOTIFY_SOCKET. A run in the
 * foreground passes it on while it watches the container.
 */
void plan_notify_relay(struct planner_state *s, enum step_who who)
{
	struct step *step;

	if (!s->has_notify || s->options->foreground)
		return;
	step = plan_add(s->plan, who, STEP_NOTIFY_RELAY, "");
	step->in[0] = s->notify_socket;
	step->u.notify_relay.host = plan_strdup(s->plan, s->options->notify_socket);
}
