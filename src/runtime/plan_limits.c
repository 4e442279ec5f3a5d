/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel gives the container's process, and how much of it: resource limits, the OOM killer's score, processor
 * and disk priority. Who sets it depends on the user namespace. Without one, the child still has all of the runtime's
 * power until it drops it and does everything itself. With one, it has none that counts outside, so the parent raises
 * hard limits, writes a lower score and gives real-time priorities, while the child waits.
 *
 * The limits themselves are always the child's to set, as late as possible: with RLIMIT_NOFILE at 3 or a small
 * RLIMIT_AS in force it could not set itself up.
 */
#include "runtime/plan_exec.h"

static void add_rlimits(struct planner_state *s, enum step_who who, bool only_raise)
{
	const struct config_rlimit_list *list = &s->config->process.rlimits;

	for (size_t i = 0; i < list->n; i++) {
		struct step *step = plan_add(s->plan, who, STEP_RLIMIT,
					     plan_printf(s->plan, "/process/rlimits/%zu", i));

		step->u.rlimit.resource = list->items[i].resource;
		step->u.rlimit.type = plan_strdup(s->plan, list->items[i].type);
		step->u.rlimit.soft = list->items[i].soft;
		step->u.rlimit.hard = list->items[i].hard;
		step->u.rlimit.only_raise = only_raise;
	}
}

static void add_oom_score_adj(struct planner_state *s, enum step_who who)
{
	struct step *step;

	if (!s->config->process.oom_score_adj.set)
		return;
	step = plan_add(s->plan, who, STEP_OOM_SCORE_ADJ, "/process/oomScoreAdj");
	step->in[0] = s->slots.proc;
	step->u.oom_score_adj.value = (int)s->config->process.oom_score_adj.v;
}

/*
 * plan_limits() - what must be done while parent and child are side by side
 *
 * After the child has joined its cgroups: the move to a cpuset is what the affinity is widened for. Before the child
 * changes its ids: the kernel lets the parent touch limits only of a process with the same ones.
 */
int plan_limits(struct planner_state *s, struct err *err)
{
	plan_add(s->plan, STEP_CHILD, STEP_AFFINITY_RESET, "");
	if (!s->config->process.set)
		return 0;
	/* Room for what is above the hard limit of now; the child's own setrlimit then only lowers. */
	if (s_in_user_ns(s))
		add_rlimits(s, STEP_PARENT, true);
	add_oom_score_adj(s, s_in_user_ns(s) ? STEP_PARENT : STEP_CHILD);
	return 0;
}

static void add_scheduling(struct planner_state *s, enum step_who who)
{
	const struct config_process *process = &s->config->process;

	if (process->scheduler.set)
		plan_add(s->plan, who, STEP_SCHEDULER, "/process/scheduler")->u.scheduler =
			process->scheduler;
	if (process->io_priority.set)
		plan_add(s->plan, who, STEP_IO_PRIORITY, "/process/ioPriority")->u.io_priority =
			process->io_priority;
}

int plan_scheduling(struct planner_state *s, struct err *err)
{
	if (s->config->process.set && s_in_user_ns(s))
		add_scheduling(s, STEP_PARENT);
	return 0;
}

/* ---- masks ------------------------------------------------------------------------------------------------------ */

/* One bit for each number of "0-3,7". The reader has checked the grammar. *ret_highest: the last bit */
static unsigned long *bit_mask(struct plan *plan, const char *list, unsigned long *ret_highest)
{
	const size_t word_bits = 8 * sizeof(unsigned long);
	unsigned long *mask, highest = 0, from, to;
	char *end;

	for (const char *p = list; *p; p = *end ? end + 1 : end) {
		to = strtoul(p, &end, 10);
		highest = to > highest ? to : highest;
	}
	mask = arena_array(&plan->arena, highest / word_bits + 1, sizeof(*mask));
	for (const char *p = list; *p; p = *end ? end + 1 : end) {
		from = to = strtoul(p, &end, 10);
		if (*end == '-')
			to = strtoul(end + 1, &end, 10);
		for (unsigned long node = from; node <= to; node++)
			mask[node / word_bits] |= 1UL << node % word_bits;
	}
	*ret_highest = highest;
	return mask;
}

/* More nodes than any kernel can be built for (MAX_NUMNODES is at most 1024). */
#define NODE_MAX 4096

static int check_nodes(const char *list, struct err *err)
{
	char *end;

	for (const char *p = list; *p; p = *end ? end + 1 : end) {
		if (strtoul(p, &end, 10) < NODE_MAX && end != p)
			continue;
		err_user(err, "use memory nodes \"%s\": a node's number must be below %d", list,
			 NODE_MAX);
		return err_at(err, "/linux/memoryPolicy/nodes");
	}
	return 0;
}

int plan_memory_policy(struct planner_state *s, struct err *err)
{
	const struct config_memory_policy *policy = &s->config->linux_.memory_policy;
	unsigned long highest;
	struct step *step;
	int r;

	if (!policy->set)
		return 0;
	step = plan_add(s->plan, STEP_CHILD, STEP_MEMORY_POLICY, "/linux/memoryPolicy");
	step->u.memory_policy.mode = policy->mode | (int)policy->flags;
	if (!policy->nodes || !policy->nodes[0])
		return 0;
	r = check_nodes(policy->nodes, err);
	if (r < 0)
		return r;
	step->u.memory_policy.nodes = bit_mask(s->plan, policy->nodes, &highest);
	/* The kernel looks at max_node - 1 bits. */
	step->u.memory_policy.max_node = highest + 2;
	return 0;
}

/*
 * plan_late_limits() - the child's own part, when it opens nothing more but still has its capabilities
 *
 * RLIMIT_NPROC in force before the change of ids is how the kernel means it: execve() is what fails if the user has
 * too many processes already.
 */
void plan_late_limits(struct planner_state *s)
{
	if (!s_in_user_ns(s))
		add_scheduling(s, STEP_CHILD);
	add_rlimits(s, STEP_CHILD, false);
}

/* ---- exec ------------------------------------------------------------------------------------------------------- */

static void add_affinity(struct planner_state *s, enum step_who who, const char *cpus,
			 const char *pointer)
{
	struct step *step = plan_add(s->plan, who, STEP_AFFINITY, pointer);
	unsigned long highest;

	step->u.affinity.cpus = plan_strdup(s->plan, cpus);
	step->u.affinity.mask = bit_mask(s->plan, cpus, &highest);
	step->u.affinity.size = (highest / (8 * sizeof(unsigned long)) + 1) * sizeof(unsigned long);
}

/* Spec: config.md "execCPUAffinity": where the runtime itself runs until the process is in its cgroup (row P-16) */
int plan_initial_affinity(struct planner_state *s, struct err *err)
{
	const char *cpus = s->config->process.exec_cpu_affinity_initial;

	if (cpus)
		add_affinity(s, STEP_PARENT, cpus, "/process/execCPUAffinity/initial");
	return 0;
}

/*
 * plan_enter_limits() - in the stage, once it is in the container's cgroups and still has the host's rights
 *
 * All of it is inherited by the child, so nothing is left for the parent to do. Without execCPUAffinity the process gets
 * what its cpuset allows (row Q-19); with only its first half the kernel's answer stays (row P-17).
 */
int plan_enter_limits(struct planner_state *s, struct err *err)
{
	const struct config_process *process = &s->config->process;

	if (process->exec_cpu_affinity_final)
		add_affinity(s, STEP_STAGE, process->exec_cpu_affinity_final,
			     "/process/execCPUAffinity/final");
	else if (!process->exec_cpu_affinity_initial)
		plan_add(s->plan, STEP_STAGE, STEP_AFFINITY_RESET, "");
	if (s_in_user_ns(s))
		add_rlimits(s, STEP_STAGE, true);
	add_oom_score_adj(s, STEP_STAGE);
	return 0;
}
