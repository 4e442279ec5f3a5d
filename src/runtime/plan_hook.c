/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where hooks come in a start, and with what. Those of the runtime's side run in the parent while the child waits; those
 * of the container's side in the child itself. All strings are made here, the state JSON with a hole for the pid.
 *
 * Spec: config.md "POSIX-platform Hooks"; rows H-1 to H-6
 */
#include "runtime/hooks.h"
#include "runtime/planners.h"

#include "spec/state_doc.h"

static bool any_hooks(const struct config *config)
{
	for (int kind = 0; kind < HOOK_KINDS; kind++) {
		/* Of poststop hooks the plan knows nothing. */
		if (kind != HOOK_POSTSTOP && config->hooks[kind].n > 0)
			return true;
	}
	return false;
}

static int16_t add_output(struct planner_state *s, enum step_who who, const char *key)
{
	const char *path =
		hook_output_path(&s->plan->arena, &s->config->annotations, key, s->options->bundle);
	struct step *step;

	if (!path)
		return SLOT_NONE;
	step = plan_add(s->plan, who, STEP_HOOK_OUTPUT,
			plan_printf(s->plan, "/annotations/%s", key));
	step->u.hook_output.path = path;
	step->out = plan_slot(s->plan, key);
	return step->out;
}

/* plan_hook_output() - the files of the annotations, opened once for all hooks, where the host's paths mean something */
int plan_hook_output(struct planner_state *s, struct err *err)
{
	s->hook_stdout = s->hook_stderr = SLOT_NONE;
	if (!any_hooks(s->config))
		return 0;
	s->hook_stdout = add_output(s, STEP_PARENT, ANNOTATION_HOOKS_STDOUT);
	s->hook_stderr = add_output(s, STEP_PARENT, ANNOTATION_HOOKS_STDERR);
	return 0;
}

static void add_hooks(struct planner_state *s, enum step_who who, enum hook_kind kind,
		      const char *status, const char *cwd)
{
	const struct config_hook_list *list = &s->config->hooks[kind];
	struct state_doc doc = {
		.id = s->options->id,
		.status = status,
		.bundle = s->options->bundle,
		.annotations = s->config->annotations,
	};
	const char *before, *after;

	if (list->n == 0)
		return;
	state_doc_split(&s->plan->arena, &doc, &before, &after);
	cwd = plan_strdup(s->plan, cwd);
	for (size_t i = 0; i < list->n; i++) {
		struct step *step =
			plan_add(s->plan, who, STEP_HOOK,
				 plan_printf(s->plan, "/hooks/%s/%zu", hook_names[kind], i));

		step->in[0] = s->hook_stdout;
		step->in[1] = s->hook_stderr;
		step->u.hook.kind = kind;
		step->u.hook.index = i;
		step->u.hook.hook = hook_copy(&s->plan->arena, &list->items[i]);
		step->u.hook.state_before = before;
		step->u.hook.state_after = after;
		step->u.hook.cwd = cwd;
	}
}

/*
 * plan_create_hooks() - prestart and createRuntime while the child waits, then createContainer in the child
 *
 * After the mounts and before the pivot: hooks may still mount into the container's tree by the host's paths. Before any
 * of them runs, the record gets the pid of the init: a hook may ask for the state, and `delete --force` must find the
 * init of a create whose hook hangs.
 */
int plan_create_hooks(struct planner_state *s, struct err *err)
{
	const struct config_hook_list *hooks = s->config->hooks;
	struct plan *plan = s->plan;

	if (hooks[HOOK_PRESTART].n + hooks[HOOK_CREATE_RUNTIME].n +
		    hooks[HOOK_CREATE_CONTAINER].n ==
	    0)
		return 0;
	plan_add(plan, STEP_CHILD, STEP_SYNC_SEND, "")->u.sync_send.token = SYNC_RUNTIME_HOOKS;
	plan_add(plan, STEP_PARENT, STEP_SYNC_WAIT, "")->u.sync_wait.token = SYNC_RUNTIME_HOOKS;
	plan_add(plan, STEP_PARENT, STEP_STATE_WRITE, "")->u.state_write.status = "creating";
	add_hooks(s, STEP_PARENT, HOOK_PRESTART, "creating", s->options->bundle);
	add_hooks(s, STEP_PARENT, HOOK_CREATE_RUNTIME, "creating", s->options->bundle);
	plan_add(plan, STEP_PARENT, STEP_SYNC_SEND, "")->u.sync_send.token = SYNC_HOOKS_DONE;
	plan_add(plan, STEP_CHILD, STEP_SYNC_WAIT, "")->u.sync_wait.token = SYNC_HOOKS_DONE;
	add_hooks(s, STEP_CHILD, HOOK_CREATE_CONTAINER, "creating", s->options->bundle);
	return 0;
}

/*
 * plan_restore_hooks() - prestart and createRuntime, when the namespaces are there and nothing else yet
 *
 * What the hooks of the container's side have done is in the image.
 */
int plan_restore_hooks(struct planner_state *s, struct err *err)
{
	const struct config_hook_list *hooks = s->config->hooks;

	if (hooks[HOOK_PRESTART].n + hooks[HOOK_CREATE_RUNTIME].n == 0)
		return 0;
	plan_add(s->plan, STEP_PARENT, STEP_STATE_WRITE, "")->u.state_write.status = "creating";
	add_hooks(s, STEP_PARENT, HOOK_PRESTART, "creating", s->options->bundle);
	add_hooks(s, STEP_PARENT, HOOK_CREATE_RUNTIME, "creating", s->options->bundle);
	return 0;
}

int plan_start_hooks(struct planner_state *s, struct err *err)
{
	add_hooks(s, STEP_CHILD, HOOK_START_CONTAINER, "created", "/");
	return 0;
}

int plan_poststart_hooks(struct planner_state *s, enum step_who who, struct err *err)
{
	/* `start` is another process than create was, and opens the files again. */
	if (who == STEP_STARTER) {
		s->hook_stdout = s->hook_stderr = SLOT_NONE;
		if (s->config->hooks[HOOK_POSTSTART].n > 0) {
			s->hook_stdout = add_output(s, who, ANNOTATION_HOOKS_STDOUT);
			s->hook_stderr = add_output(s, who, ANNOTATION_HOOKS_STDERR);
		}
	}
	add_hooks(s, who, HOOK_POSTSTART, "running", s->options->bundle);
	return 0;
}
