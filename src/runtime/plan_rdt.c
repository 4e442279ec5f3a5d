/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linux.intelRdt: a class of service for cache and memory bandwidth. As with cgroups of v1 the parent makes the directory
 * and the child puts itself in, before anything of the container's runs; what exec adds goes there too.
 *
 * Spec: config-linux.md "IntelRdt"; rows I-1 to I-12
 */
#include "runtime/planners.h"

#include "runtime/rdt.h"

int plan_rdt(struct planner_state *s, struct err *err)
{
	const struct config_intel_rdt *rdt = &s->config->linux_.intel_rdt;
	struct arena *arena = &s->plan->arena;
	const char *group, *monitor;
	struct step *step;

	s->rdt_group = s->rdt_monitor = SLOT_NONE;
	if (!rdt->set)
		return 0;
	if (!s->facts->resctrl) {
		err_user_code(err, -ENODEV,
			      "use Intel RDT: the resctrl filesystem is not mounted on this host");
		err_hint(err, "mount -t resctrl resctrl /sys/fs/resctrl, if the processor has it "
			      "(/proc/cpuinfo: cat_l3, mba, cqm)");
		return err_at(err, "/linux/intelRdt");
	}
	group = rdt_group(arena, s->facts->resctrl, rdt, s->options->id);
	step = plan_add(s->plan, STEP_PARENT, STEP_RDT_GROUP, "/linux/intelRdt");
	step->out = s->rdt_group = plan_slot(s->plan, "class of service");
	step->u.rdt_group.path = group;
	step->u.rdt_group.wish = rdt_wish(rdt);
	step->u.rdt_group.lines = rdt_lines(arena, rdt);
	monitor = rdt_monitor(arena, group, rdt, s->options->id);
	if (!monitor)
		return 0;
	step = plan_add(s->plan, STEP_PARENT, STEP_RDT_MONITOR, "/linux/intelRdt/enableMonitoring");
	step->out = s->rdt_monitor = plan_slot(s->plan, "monitoring group");
	step->u.rdt_monitor.path = monitor;
	return 0;
}

static void add_join(struct planner_state *s, enum step_who who, int16_t dir, const char *path)
{
	struct step *step = plan_add(s->plan, who, STEP_RDT_JOIN, "/linux/intelRdt");

	step->in[0] = dir;
	step->u.rdt_join.path = plan_strdup(s->plan, path);
}

int plan_rdt_join(struct planner_state *s, struct err *err)
{
	const struct step *steps = s->plan->steps;
	const char *group = NULL, *monitor = NULL;

	for (size_t i = 0; i < s->plan->n_steps; i++) {
		if (steps[i].kind == STEP_RDT_GROUP)
			group = steps[i].u.rdt_group.path;
		if (steps[i].kind == STEP_RDT_MONITOR)
			monitor = steps[i].u.rdt_monitor.path;
	}
	/* The class first: a monitoring group takes only who is in its class. */
	if (group)
		add_join(s, STEP_CHILD, s->rdt_group, group);
	if (monitor)
		add_join(s, STEP_CHILD, s->rdt_monitor, monitor);
	return 0;
}

int plan_rdt_enter(struct planner_state *s, struct err *err)
{
	if (s->enter->rdt.group)
		add_join(s, STEP_STAGE, SLOT_NONE, s->enter->rdt.group);
	if (s->enter->rdt.monitor)
		add_join(s, STEP_STAGE, SLOT_NONE, s->enter->rdt.monitor);
	return 0;
}
