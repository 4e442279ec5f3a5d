/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/plan_listener.h"

#include "spec/annotations.h"
#include "spec/state_doc.h"

#include <linux/seccomp.h>

bool listener_wanted(const struct config *config)
{
	const struct config_seccomp *seccomp = &config->linux_.seccomp;

	for (size_t i = 0; seccomp->set && i < seccomp->syscalls.n; i++) {
		if (seccomp->syscalls.items[i].action == SECCOMP_RET_USER_NOTIF)
			return true;
	}
	return false;
}

static const char *agent_path(const struct config *config)
{
	if (config->linux_.seccomp.listener_path)
		return config->linux_.seccomp.listener_path;
	return annotation_value(&config->annotations, ANNOTATION_SECCOMP_RECEIVER);
}

/*
 * plan_listener() - is there somebody to notify? The steps come later; what is of no use without one is told here.
 *
 * Spec: config-linux.md "Seccomp", listenerPath (rows S-5, S-6)
 */
int plan_listener(struct planner_state *s, struct err *err)
{
	const struct config_seccomp *seccomp = &s->config->linux_.seccomp;
	static const char why[] = "no rule has SCMP_ACT_NOTIFY";

	if (listener_wanted(s->config)) {
		if (agent_path(s->config))
			return 0;
		err_user(err, "SCMP_ACT_NOTIFY needs a listenerPath");
		err_hint(err, "it is the socket of the agent that will answer for the kernel");
		return err_at(err, "/linux/seccomp");
	}
	/* For an exec it was said at create. */
	if (s->enter)
		return 0;
	if (seccomp->listener_path)
		plan_ignore(s->plan, "/linux/seccomp/listenerPath", why);
	if (seccomp->listener_metadata)
		plan_ignore(s->plan, "/linux/seccomp/listenerMetadata", why);
	return 0;
}

void listener_connect(struct planner_state *s, enum step_who who)
{
	const char *path = agent_path(s->config);
	bool own = s->config->linux_.seccomp.listener_path;
	struct step *step;

	if (!listener_wanted(s->config))
		return;
	step = plan_add(s->plan, who, STEP_LISTENER_CONNECT,
			own ? "/linux/seccomp/listenerPath"
			    : "/annotations/" ANNOTATION_SECCOMP_RECEIVER);
	step->u.listener_connect.path =
		path[0] == '/' ? plan_strdup(s->plan, path)
			       : plan_printf(s->plan, "%s/%s", s->options->bundle, path);
	step->out = s->agent = plan_slot(s->plan, "seccomp-agent");
}

void listener_send(struct planner_state *s, enum step_who who, const char *status, pid_t state_pid)
{
	const struct state_doc doc = {
		.id = s->options->id,
		.status = status,
		.bundle = s->options->bundle,
		.pid = state_pid,
		.annotations = s->config->annotations,
	};
	struct step *step;

	if (!listener_wanted(s->config))
		return;
	step = plan_add(s->plan, who, STEP_LISTENER_SEND, "/linux/seccomp/listenerPath");
	step->in[0] = s->agent;
	process_state_split(&s->plan->arena, &doc, s->config->linux_.seccomp.listener_metadata,
			    step->u.listener_send.parts);
}
