/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exec: a further process in a container that is there. exec_policy[] below is the order of it, as create_policy[] in
 * plan.c is create's; what the two have in common are the same planners.
 *
 * The config that they see is the saved one with two things exchanged: its process is the one to run, and its namespaces
 * say what is true of a process that comes later: none is new, and those that differ from ours are joined.
 *
 * Three processes. The parent stays outside. The stage has, to begin with, all of the host's rights, and is out of the
 * container's sight: so it does what needs rights (cgroups, limits, scores), and its child inherits that. Then it closes
 * itself to others, enters, and lets go of all that is the host's. Only then the child is born, in the container's pid
 * namespace; from its first moment others in there can see it, and there is nothing to be had from it.
 *
 * Rows, K-12, K-13, Z-10, Z-17
 */
#include "runtime/plan_label.h"
#include "runtime/plan_listener.h"

#include <stdio.h>
#include <string.h>

/* ---- the parent ------------------------------------------------------------------------------------------------- */

static int plan_init_open(struct planner_state *s, struct err *err)
{
	struct step *step;

	listener_connect(s, STEP_PARENT);

	step = plan_add(s->plan, STEP_PARENT, STEP_PROC_OPEN, "");
	step->out = s->slots.proc = plan_slot(s->plan, "proc");
	step = plan_add(s->plan, STEP_PARENT, STEP_INIT_OPEN, "");
	step->out = s->slots.init = plan_slot(s->plan, "init");
	step->u.init_open.pid = s->enter->pid;
	step->u.init_open.start_time = s->enter->start_time;
	return 0;
}

/* Has the container no mount namespace that we made? Then its root is a directory of the host's tree. */
static bool has_plain_root(const struct planner_state *s)
{
	return s->enter->config->linux_.namespaces[NS_MOUNT].mode != NS_NEW;
}

static int plan_plain_root_open(struct planner_state *s, struct err *err)
{
	struct step *step;

	if (!has_plain_root(s))
		return 0;
	step = plan_add(s->plan, STEP_PARENT, STEP_ROOT_OPEN, "/root/path");
	step->out = s->slots.rootfs = plan_slot(s->plan, "rootfs");
	step->u.root_open.path = plan_strdup(s->plan, s->options->rootfs);
	return 0;
}

/* The stage begins in the v2 cgroup; into the v1 ones it goes itself. */
static int plan_stage(struct planner_state *s, struct err *err)
{
	const struct cgroup_dir *v2 = NULL;
	struct step *step;

	for (size_t i = 0; i < s->enter->n_cgroups; i++) {
		if (s->enter->cgroups[i].v2)
			v2 = &s->enter->cgroups[i];
	}
	if (v2) {
		step = plan_add(s->plan, STEP_PARENT, STEP_CGROUP_OPEN, "");
		step->u.cgroup_open.dir = plan_strdup(s->plan, v2->path);
		step->out = s->slots.cgroup2 = plan_slot(s->plan, "cgroup v2");
	}
	step = plan_add(s->plan, STEP_PARENT, STEP_STAGE_FORK, "");
	step->in[0] = s->slots.cgroup2;
	step->out = plan_slot(s->plan, "pidfd");
	/* The kernel lets nobody who shares memory into a time namespace. */
	step->u.stage_fork.shared = !(s->enter->namespaces & ns_clone_flags[NS_TIME]);
	return 0;
}

/* ---- the stage -------------------------------------------------------------------------------------------------- */

static int plan_stage_signals(struct planner_state *s, struct err *err)
{
	plan_add(s->plan, STEP_STAGE, STEP_SIGNALS, "")->in[0] = s->slots.proc;
	return 0;
}

static int plan_stage_cgroups(struct planner_state *s, struct err *err)
{
	for (size_t i = 0; i < s->enter->n_cgroups; i++) {
		const char *dir = plan_strdup(s->plan, s->enter->cgroups[i].path);
		struct step *step;

		if (s->enter->cgroups[i].v2)
			continue;
		step = plan_add(s->plan, STEP_STAGE, STEP_CGROUP_JOIN, "");
		step->u.cgroup_join.dir = dir;
		step->u.cgroup_join.tasks = plan_printf(s->plan, "%s/tasks", dir);
	}
	return 0;
}

static int plan_ns_enter(struct planner_state *s, struct err *err)
{
	struct step *step;

	if (!s->options->no_new_keyring)
		label_keys(s, STEP_STAGE);
	label_process(s, STEP_STAGE);
	plan_add(s->plan, STEP_STAGE, STEP_UNDUMPABLE, "");
	if (s->enter->namespaces) {
		step = plan_add(s->plan, STEP_STAGE, STEP_NS_ENTER, "/linux/namespaces");
		step->in[0] = s->slots.init;
		step->in[1] = s->slots.proc;
		step->u.ns_enter.flags = s->enter->namespaces;
		step->u.ns_enter.pid = s->enter->pid;
	}
	if (has_plain_root(s))
		plan_add(s->plan, STEP_STAGE, STEP_CHROOT, "/root/path")->in[0] = s->slots.rootfs;
	plan_add(s->plan, STEP_STAGE, STEP_CLOSE_UNNEEDED, "");
	plan_add(s->plan, STEP_STAGE, STEP_CLONE, "");

	/* What they name is closed. */
	s->slots.proc = s->slots.rootfs = SLOT_NONE;
	return 0;
}

/* ---- the child -------------------------------------------------------------------------------------------------- */

static int plan_enter_session(struct planner_state *s, struct err *err)
{
	plan_add(s->plan, STEP_CHILD, STEP_SESSION, "");
	plan_keyring(s);
	return 0;
}

/*
 * plan_ready() - the one hand-over: the child executes nothing before the caller was told its pid
 *
 * Where the parent has to set priorities (see plan_limits.c) it waits first until there is a session of the child's own,
 * since an I/O priority is a process group's.
 */
static int plan_ready(struct planner_state *s, struct err *err)
{
	const struct config_process *process = &s->config->process;
	struct plan *plan = s->plan;
	int r;

	if (s_in_user_ns(s) && (process->scheduler.set || process->io_priority.set)) {
		plan_add(plan, STEP_CHILD, STEP_SYNC_SEND, "")->u.sync_send.token = SYNC_CREATED;
		plan_add(plan, STEP_PARENT, STEP_SYNC_WAIT, "")->u.sync_wait.token = SYNC_CREATED;
		r = plan_scheduling(s, err);
		if (r < 0)
			return r;
	}
	plan_tell_pid(s);
	plan_add(plan, STEP_PARENT, STEP_SYNC_SEND, "")->u.sync_send.token = SYNC_RELEASED;
	plan_add(plan, STEP_CHILD, STEP_SYNC_WAIT, "")->u.sync_wait.token = SYNC_RELEASED;
	return 0;
}

static int plan_executed(struct planner_state *s, struct err *err)
{
	listener_send(s, STEP_PARENT, "running", s->enter->pid);
	plan_add(s->plan, STEP_PARENT, STEP_EXEC_WAIT, "");
	return 0;
}

/* ---- the order -------------------------------------------------------------------------------------------------- */

/* clang-format off */
static planner *const exec_policy[] = {
	plan_labels,   /* what security modules are told */
	plan_listener, /* whom a seccomp filter notifies, if it does */

	/* The parent */
	plan_init_open,        /* the host's /proc, and the container's init by pidfd */
	plan_console_connect,  /* the caller's console socket */
	plan_plain_root_open,  /* the root, where no mount namespace brings it along */
	plan_initial_affinity, /* processors for what comes before the cgroup */
	plan_stage,            /* a process that goes ahead, born in the container's v2 cgroup */

	/* The stage, still of the host */
	plan_stage_signals, /* none blocked, none ignored */
	plan_stage_cgroups, /* v1 cgroups */
	plan_rdt_enter,     /* the class of service */
	plan_enter_limits,  /* processors, room for rlimits, the OOM killer's score: to be inherited */

	/* The stage, at the door */
	plan_ns_enter, /* closed to ptrace; all namespaces at once; nothing of the host's is taken along; the child */

	/* The child, inside */
	plan_enter_session,   /* setsid, the container's session keyring */
	plan_ns_root,         /* become root of the user namespace */
	plan_console,         /* a pty of the container's */
	plan_find_executable, /* with the words that engines look for */
	plan_ready,           /* hand-over: the caller knows its pid */
	plan_process,         /* ids, capabilities, filter, exec */
	plan_executed,        /* the parent sees the exec */
};
/* clang-format on */

/* The saved config as it is for a process that comes later. */
static void exchange(struct config *config, const struct enter_input *in)
{
	*config = *in->config;
	config->process = *in->process;
	for (int type = 0; type < NS_TYPES; type++)
		config->linux_.namespaces[type].mode =
			in->namespaces & ns_clone_flags[type] ? NS_JOIN : NS_ABSENT;
}

int plan_enter(struct plan *plan, const struct enter_input *in, struct err *err)
{
	struct config config;
	struct planner_state state = {
		.plan = plan,
		.config = &config,
		.facts = in->facts,
		.options = in->options,
		.enter = in,
		.slots = { SLOT_NONE, SLOT_NONE, SLOT_NONE, SLOT_NONE, SLOT_NONE, SLOT_NONE,
			   SLOT_NONE },
	};
	int r;

	exchange(&config, in);
	plan->foreground = in->options->foreground;
	plan->enters = true;
	if (in->ignored)
		plan_ignored(plan, in->ignored);
	for (size_t i = 0; i < ARRAY_LEN(exec_policy); i++) {
		r = exec_policy[i](&state, err);
		if (r < 0)
			return r;
	}
	return 0;
}
