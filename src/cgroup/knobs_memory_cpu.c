/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where v1 and v2 cut the cake differently: memory+swap, and the CPU quota with its period and burst. */
#include "cgroup/knobs_build.h"

#include <inttypes.h>

/* ---- memory.swap ------------------------------------------------------------------------------------------------ */

static const struct knob_home swap_home = { "memory/swap", "memory", "memory" };

static int refuse_swap(struct knob_builder *b, const char *pointer, const char *why,
		       const char *hint)
{
	err_user(b->err, "set memory.swap to %" PRId64 ": %s", b->resources->memory.swap.v, why);
	err_at(b->err, pointer);
	return err_hint(b->err, "%s", hint);
}

/* memory.swap is memory and swap together; with anything below the limit there would be less than no swap. */
static int check_swap(struct knob_builder *b, const char *pointer)
{
	int64_t limit = b->resources->memory.limit.v, swap = b->resources->memory.swap.v;

	if (!b->resources->memory.limit.set || limit == 0)
		return refuse_swap(b, pointer, "memory.limit is not given",
				   "memory.swap is the limit of memory and swap together: give "
				   "memory.limit as well");
	if (limit < 0)
		return refuse_swap(b, pointer, "memory.limit is unlimited",
				   "memory and swap together can't have less than memory alone: "
				   "use -1 here, too");
	if (swap < limit)
		return refuse_swap(b, pointer, "that is below memory.limit",
				   "memory.swap is memory and swap together: it must be at least "
				   "memory.limit");
	return 0;
}

/*
 * knobs_swap() - memory.swap; also "no limit at all", since memory.limit -1 alone says so for swap, too
 *
 * v2 counts swap alone, so memory+swap becomes the difference: equal to the limit is 0, not "unchanged".
 */
int knobs_swap(struct knob_builder *b)
{
	int64_t swap = b->resources->memory.swap.v;
	const char *pointer = knob_pointer(b, swap_home.pointer), *value;
	struct knob_target target;
	int r;

	if (!b->resources->memory.swap.set)
		return 0;
	if (swap == 0) {
		knob_note(b, pointer, "0 asks for no limit");
		return 0;
	}
	if (swap < 0) {
		if (knob_find(b, &swap_home, &target))
			knob_add(b, &target,
				 target.v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes",
				 target.v2 ? "max" : "-1", pointer)
				->optional = true;
		return 0;
	}

	r = check_swap(b, pointer);
	if (r == 0)
		r = knob_require(b, &swap_home, pointer, &target);
	if (r < 0)
		return r;
	value = arena_printf(b->arena, "%" PRId64,
			     target.v2 ? swap - b->resources->memory.limit.v : swap);
	knob_add(b, &target, target.v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes", value,
		 pointer);
	return 0;
}

/* ---- cpu.quota, cpu.period, cpu.burst --------------------------------------------------------------------------- */

#define CPU_PERIOD_DEFAULT_US 100000

static const struct knob_home quota_home = { "cpu/quota", "cpu", "cpu" };
static const struct knob_home period_home = { "cpu/period", "cpu", "cpu" };
static const struct knob_home burst_home = { "cpu/burst", "cpu", "cpu" };

static const char *number(struct knob_builder *b, uint64_t value)
{
	return arena_printf(b->arena, "%" PRIu64, value);
}

static void add_quota_v1(struct knob_builder *b, const struct knob_target *target, uint64_t period,
			 int64_t quota)
{
	if (period)
		knob_add(b, target, "cpu.cfs_period_us", number(b, period),
			 knob_pointer(b, period_home.pointer));
	if (quota)
		knob_add(b, target, "cpu.cfs_quota_us",
			 quota < 0 ? "-1" : number(b, (uint64_t)quota),
			 knob_pointer(b, quota_home.pointer));
}

static void add_quota_v2(struct knob_builder *b, const struct knob_target *target, uint64_t period,
			 int64_t quota)
{
	const char *limit = quota > 0 ? number(b, (uint64_t)quota) : "max";

	knob_add(b, target, "cpu.max",
		 arena_printf(b->arena, "%s %" PRIu64, limit,
			      period ? period : CPU_PERIOD_DEFAULT_US),
		 knob_pointer(b, quota ? quota_home.pointer : period_home.pointer));
}

static int add_quota(struct knob_builder *b)
{
	uint64_t period = b->resources->cpu.period.v;
	int64_t quota = b->resources->cpu.quota.v;
	const struct knob_home *home = quota ? &quota_home : &period_home;
	struct knob_target target;
	int r;

	/* 0 is "not given" for both, as with every peer; the kernel would refuse it. */
	if (!period && !quota)
		return 0;
	if (quota < 0 && !period && !knob_find(b, home, &target))
		return 0;
	r = knob_require(b, home, knob_pointer(b, home->pointer), &target);
	if (r < 0)
		return r;
	if (target.v2)
		add_quota_v2(b, &target, period, quota);
	else
		add_quota_v1(b, &target, period, quota);
	return 0;
}

static int add_burst(struct knob_builder *b)
{
	const char *pointer = knob_pointer(b, burst_home.pointer);
	uint64_t burst = b->resources->cpu.burst.v;
	int64_t quota = b->resources->cpu.quota.v;
	struct knob_target target;
	int r;

	if (!burst &&
	    !(b->update && b->resources->cpu.burst.set && knob_find(b, &burst_home, &target)))
		return 0;
	if (quota > 0 && burst > (uint64_t)quota) {
		err_user(b->err, "set cpu.burst to %" PRIu64 ": that is above cpu.quota, %" PRId64,
			 burst, quota);
		err_at(b->err, pointer);
		return err_hint(b->err,
				"what is saved up for a burst can be at most one period's quota");
	}
	r = knob_require(b, &burst_home, pointer, &target);
	if (r < 0)
		return r;
	knob_add(b, &target, target.v2 ? "cpu.max.burst" : "cpu.cfs_burst_us", number(b, burst),
		 pointer);
	return 0;
}

int knobs_cpu_max(struct knob_builder *b)
{
	int r = add_quota(b);

	return r < 0 ? r : add_burst(b);
}
