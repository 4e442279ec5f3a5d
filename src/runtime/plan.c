/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of a container's start, and the list's own bookkeeping. plan_create() below is the policy: read it from top
 * to bottom and you know what tare does.
 */
#include "runtime/planners.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STEP_NAME(upper, lower, name, effect) [STEP_##upper] = name,
const char *const step_names[STEP_KIND_COUNT] = { STEP_KINDS(STEP_NAME) };
#define STEP_EFFECT(upper, lower, name, effect) [STEP_##upper] = effect,
const enum step_effect step_effects[STEP_KIND_COUNT] = { STEP_KINDS(STEP_EFFECT) };

struct step *plan_add(struct plan *plan, enum step_who who, enum step_kind kind,
		      const char *pointer)
{
	struct step *step, *grown;

	if (plan->n_steps == plan->capacity) {
		plan->capacity = plan->capacity ? plan->capacity * 2 : 160;
		grown = arena_array(&plan->arena, plan->capacity, sizeof(*grown));
		if (plan->n_steps)
			memcpy(grown, plan->steps, plan->n_steps * sizeof(*grown));
		plan->steps = grown;
	}

	step = &plan->steps[plan->n_steps++];
	memset(step, 0, sizeof(*step));
	step->who = who;
	step->kind = kind;
	step->out = SLOT_NONE;
	for (size_t i = 0; i < STEP_INPUTS; i++)
		step->in[i] = SLOT_NONE;
	step->pointer = pointer ? pointer : "";
	return step;
}

int16_t plan_slot(struct plan *plan, const char *name)
{
	const char **grown;

	if (plan->n_slots == plan->slot_capacity) {
		plan->slot_capacity = plan->slot_capacity ? plan->slot_capacity * 2 : 64;
		grown = arena_array(&plan->arena, plan->slot_capacity, sizeof(*grown));
		if (plan->n_slots)
			memcpy(grown, plan->slot_names, plan->n_slots * sizeof(*grown));
		plan->slot_names = grown;
	}
	plan->slot_names[plan->n_slots] = name;
	return (int16_t)plan->n_slots++;
}

char *plan_strdup(struct plan *plan, const char *text)
{
	return text ? arena_strdup(&plan->arena, text) : NULL;
}

char *plan_printf(struct plan *plan, const char *fmt, ...)
{
	char text[8192];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (len >= 0 && (size_t)len < sizeof(text))
		return arena_strndup(&plan->arena, text, (size_t)len);

	/* Longer than any message: print it again, into the arena. */
	char *out = arena_alloc(&plan->arena, (size_t)len + 1);

	va_start(ap, fmt);
	vsnprintf(out, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return out;
}

/* Append one string to a list that lives in the plan's arena; lists stay short, so growing by copying is fine. */
static void list_add(struct plan *plan, struct str_list *list, const char *text)
{
	const char **items = arena_array(&plan->arena, list->n + 1, sizeof(*items));

	if (list->n)
		memcpy(items, list->items, list->n * sizeof(*items));
	items[list->n] = text;
	list->items = items;
	list->n++;
}

void plan_warn(struct plan *plan, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	list_add(plan, &plan->warnings, plan_strdup(plan, text));
}

void plan_ignore(struct plan *plan, const char *pointer, const char *why)
{
	struct config_ignored *items =
		arena_array(&plan->arena, plan->ignored.n + 1, sizeof(*items));

	if (plan->ignored.n)
		memcpy(items, plan->ignored.items, plan->ignored.n * sizeof(*items));
	items[plan->ignored.n].pointer = plan_strdup(plan, pointer);
	items[plan->ignored.n].why = plan_strdup(plan, why);
	plan->ignored.items = items;
	plan->ignored.n++;
}

/* What the reader ignored; it lives in the config's arena, which goes before the plan does. */
void plan_ignored(struct plan *plan, const struct config_ignored_list *from)
{
	plan->ignored.items = arena_array(&plan->arena, from->n, sizeof(*from->items));
	plan->ignored.n = from->n;
	for (size_t i = 0; i < from->n; i++)
		plan->ignored.items[i] = (struct config_ignored){
			.pointer = plan_strdup(plan, from->items[i].pointer),
			.near = plan_strdup(plan, from->items[i].near),
			.why = plan_strdup(plan, from->items[i].why),
		};
}

void plan_clear(struct plan *plan)
{
	arena_clear(&plan->arena);
	memset(plan, 0, sizeof(*plan));
}

/*
 * The policy. Each planner appends the steps of one feature; what it needs from an earlier one is in the slots.
 * Why here and not elsewhere is said at the planner's own definition.
 */
/* clang-format off */
static planner *const create_policy[] = {
	plan_caller,          /* root, or a user who needs a user namespace for everything that follows */

	plan_labels,          /* what security modules are told */
	plan_listener,        /* whom a seccomp filter notifies, if it does */

	/* The parent, before the container's process exists */
	plan_state_make,      /* the record `creating`: from now on a kill leaves only what the next command finds */
	plan_console_connect, /* the caller's console socket */
	plan_notify,          /* a socket on which the container can say that it is ready */
	plan_root_open,       /* the rootfs and every mount source, as detached trees of the parent's mount namespace */
	plan_ns_open,         /* joined namespaces, and the host's /proc */
	plan_cgroup_make,     /* cgroups with their limits, before anything runs in them */
	plan_rdt,             /* a class of service for cache and memory bandwidth */
	plan_cgroup_trees,    /* its own cgroups as mount sources, where no cgroup namespace hides the others */
	plan_hook_output,     /* files for what hooks print, opened where the host's paths mean something */
	plan_start_bind,      /* where `start` will knock (create only) */
	plan_clone,           /* by the parent, or by a stage that has joined namespaces first */

	/* Parent and child side by side */
	plan_cgroup_join,     /* child: v1 cgroups, then the cgroup namespace */
	plan_rdt_join,        /* child: the class of service */
	plan_time_ns,         /* child: time namespace and offsets, while it is still the host's root */
	plan_id_maps,         /* parent: uid_map and gid_map */
	plan_idmap_child,     /* parent: mounts idmapped by the container's own user namespace */
	plan_net_devices,     /* parent: network devices of the host, which only who has rights on both sides can move */
	plan_limits,          /* affinity; oom_score_adj; with a user namespace: room for rlimits, by the parent */
	plan_mapped,          /* hand-over: the child has its ids and limits */
	plan_root_open_inside, /* the trees of the host, where only the child has the right to clone them */

	/* The child, in its namespaces and still in the host's tree */
	plan_session,         /* setsid, signals, session keyring */
	plan_root_attach,     /* propagation, the rootfs on its place; still with the host's ids, which may walk there */
	plan_ns_root,         /* become root of a new user namespace */
	plan_network,         /* loopback up */
	plan_names,           /* hostname, domainname */
	plan_mounts,          /* mounts[], in order */
	plan_notify_attach,   /* and a way to it */
	plan_devices,         /* default and configured devices, links */
	plan_console,         /* the pty, /dev/console */
	plan_sysctl,          /* through the host's verified /proc, before it goes out of sight */
	plan_create_hooks,    /* prestart, createRuntime in the parent; createContainer in the child */

	/* The child, in its own root */
	plan_pivot,           /* pivot_root, propagation of the root, read-only root */
	plan_masks,           /* masked and read-only paths: after the last mount, so that none can uncover them */
	plan_root_propagation, /* the last word on mounts: an unbindable root could not be masked any more */
	plan_find_executable, /* so that a missing program fails create, with the words that engines look for */
	plan_created,         /* hand-over: the record says created */

	/* After `start` */
	plan_start_hooks,     /* startContainer */
	plan_process,         /* ids, capabilities, filter, exec */
	plan_started,         /* run: the parent sees the exec, then poststart */
};
/* clang-format on */

/*
 * restore. Between the namespaces and the processes CRIU waits, as a created container does for its hooks; before it
 * lets the processes go, everything that names them is written.
 */
static planner
	*const
		restore_policy[] = {
			plan_restorable, /* what neither CRIU nor tare would bring back */
			plan_labels,

			plan_state_make,     plan_console_connect,
			plan_cgroup_make,    plan_hook_output,
			plan_criu, /* CRIU, in these cgroups, makes the namespaces */
			plan_cgroup_entered, plan_restore_hooks,
			plan_criu_processes, /* it makes the processes, the caller is told of them, and they go on */
			plan_restored,
		};

static int run_planners(struct planner_state *state, planner *const *policy, size_t n,
			struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		int r = policy[i](state, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static struct planner_state start_planning(struct plan *plan, const struct plan_input *in)
{
	plan->foreground = in->options->foreground;
	plan_ignored(plan, &in->config->ignored);
	return (struct planner_state){
		.plan = plan,
		.config = in->config,
		.facts = in->facts,
		.options = in->options,
		.slots = { SLOT_NONE, SLOT_NONE, SLOT_NONE, SLOT_NONE, SLOT_NONE, SLOT_NONE,
			   SLOT_NONE },
		.unit_holder = SLOT_NONE,
	};
}

int plan_restore(struct plan *plan, const struct plan_input *in, struct err *err)
{
	struct planner_state state = start_planning(plan, in);

	plan->restores = true;
	return run_planners(&state, restore_policy, ARRAY_LEN(restore_policy), err);
}

int plan_create(struct plan *plan, const struct plan_input *in, struct err *err)
{
	struct planner_state state = start_planning(plan, in);

	return run_planners(&state, create_policy, ARRAY_LEN(create_policy), err);
}
