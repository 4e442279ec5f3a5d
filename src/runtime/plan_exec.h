/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What plan_process() takes from plan_exec.c and plan_limits.c. Only plan_*.c includes this. */
#ifndef TARE_RUNTIME_PLAN_EXEC_H
#define TARE_RUNTIME_PLAN_EXEC_H

#include "runtime/planners.h"

/* exec_needs_home() - must HOME be looked up in the container? An empty one counts as unset (row Q-12) */
bool exec_needs_home(const struct planner_state *s);

/* exec_add() - the EXEC step: argv and environment. exec_add_missing() - one that fails: there is no process */
void exec_add(struct planner_state *s);
void exec_add_missing(struct planner_state *s);

/* plan_memory_policy() - set_mempolicy(2); plan_late_limits() - rlimits, scheduler and I/O priority of the child's own */
int plan_memory_policy(struct planner_state *s, struct err *err) MUST_CHECK;
void plan_late_limits(struct planner_state *s);

#endif
