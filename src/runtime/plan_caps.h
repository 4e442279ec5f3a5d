/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which capabilities a container really gets. Only plan_*.c includes this. */
#ifndef TARE_RUNTIME_PLAN_CAPS_H
#define TARE_RUNTIME_PLAN_CAPS_H

#include "runtime/planners.h"

struct cap_sets {
	uint64_t effective, permitted, inheritable, bounding, ambient;
};

/*
 * caps_grantable() - what of process.capabilities can be had; the rest is warned about, once a set
 *
 * Spec: config.md "Linux Process": what can't be granted is a warning, not an error (row P-10)
 */
struct cap_sets caps_grantable(struct planner_state *s);

#endif
