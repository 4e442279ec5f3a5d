/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of the properties that are one value in one file, in the order in which they are written; what is more than
 * that has a function of its own in the same table. The order matters to the kernel: cpuset first, since without CPUs and
 * memory nodes nobody can join on v1; a limit before the swap limit that includes it; a CPU period before the quota in it
 * and that before the burst; weights before `idle`, which locks them.
 */
#include "cgroup/knobs_build.h"

#include "cgroup/convert.h"

#include <inttypes.h>
#include <string.h>

enum knob_type { TYPE_NONE, TYPE_I64, TYPE_U64, TYPE_BOOL, TYPE_TEXT };

/* Which values ask for nothing, so that no file is needed for them. */
enum knob_nothing {
	ALWAYS_ASKS,
	ZERO_IS_NOTHING,  /* 0: not given, as every peer has it */
	ZERO_IS_NO_LIMIT, /* the same for a limit, and worth a note: somebody may have meant it */
	ZERO_OR_LESS_NOTHING, /* 0 and -1: no limit, which is how a new cgroup is */
	ZERO_IS_THE_DEFAULT,  /* 0 or false: how a new cgroup is, but perhaps not one in use */
	TRUE_IS_NOTHING_ON_V2,
};

struct knob {
	struct knob_home home;
	size_t offset; /* of the opt_ member or string in struct config_resources */
	enum knob_type type;
	enum knob_nothing nothing;
	bool unlimited; /* below 0: no limit, "-1" in v1 and "max" in v2 */
	const char *v1_file, *v2_file;
	uint64_t (*v2_convert)(uint64_t value);
	const char *v1_usage, *v2_usage; /* for memory.checkBeforeUpdate */
	knob_fn *special;                /* instead of all this */
};

/* A number or text: pointer, member, type, then the file in each version and what is special about it. */
#define KNOB(property, member, kind, v1, v2, ...)                                                  \
	{                                                                                          \
		.home = { property, v1, v2 }, .offset = offsetof(struct config_resources, member), \
		.type = TYPE_##kind, __VA_ARGS__                                                   \
	}
#define SPECIAL(function)                                                                          \
	{                                                                                          \
		.special = (function)                                                              \
	}

/* clang-format off */
static const struct knob knob_table[] = {
	KNOB("cpu/cpus", cpu.cpus, TEXT, "cpuset", "cpuset",
	     .v1_file = "cpuset.cpus", .v2_file = "cpuset.cpus"),
	KNOB("cpu/mems", cpu.mems, TEXT, "cpuset", "cpuset",
	     .v1_file = "cpuset.mems", .v2_file = "cpuset.mems"),

	KNOB("memory/useHierarchy", memory.use_hierarchy, BOOL, "memory", NULL,
	     .v1_file = "memory.use_hierarchy", .nothing = TRUE_IS_NOTHING_ON_V2),
	KNOB("memory/limit", memory.limit, I64, "memory", "memory",
	     .v1_file = "memory.limit_in_bytes", .v1_usage = "memory.usage_in_bytes",
	     .v2_file = "memory.max", .v2_usage = "memory.current",
	     .nothing = ZERO_IS_NO_LIMIT, .unlimited = true),
	SPECIAL(knobs_swap),
	KNOB("memory/reservation", memory.reservation, I64, "memory", "memory",
	     .v1_file = "memory.soft_limit_in_bytes", .v2_file = "memory.low",
	     .nothing = ZERO_IS_NO_LIMIT, .unlimited = true),
	KNOB("memory/kernel", memory.kernel, I64, "memory", NULL,
	     .v1_file = "memory.kmem.limit_in_bytes", .nothing = ZERO_OR_LESS_NOTHING),
	KNOB("memory/kernelTCP", memory.kernel_tcp, I64, "memory", NULL,
	     .v1_file = "memory.kmem.tcp.limit_in_bytes", .nothing = ZERO_OR_LESS_NOTHING),
	KNOB("memory/swappiness", memory.swappiness, U64, "memory", NULL,
	     .v1_file = "memory.swappiness"),
	KNOB("memory/disableOOMKiller", memory.disable_oom_killer, BOOL, "memory", NULL,
	     .v1_file = "memory.oom_control", .nothing = ZERO_IS_THE_DEFAULT),

	KNOB("cpu/shares", cpu.shares, U64, "cpu", "cpu",
	     .v1_file = "cpu.shares", .v2_file = "cpu.weight", .v2_convert = cgroup_cpu_weight,
	     .nothing = ZERO_IS_NOTHING),
	SPECIAL(knobs_cpu_max),
	KNOB("cpu/realtimePeriod", cpu.realtime_period, U64, "cpu", NULL,
	     .v1_file = "cpu.rt_period_us", .nothing = ZERO_IS_NOTHING),
	KNOB("cpu/realtimeRuntime", cpu.realtime_runtime, I64, "cpu", NULL,
	     .v1_file = "cpu.rt_runtime_us", .nothing = ZERO_IS_NOTHING),
	KNOB("cpu/idle", cpu.idle, I64, "cpu", "cpu",
	     .v1_file = "cpu.idle", .v2_file = "cpu.idle", .nothing = ZERO_IS_THE_DEFAULT),

	KNOB("pids/limit", pids_limit, I64, "pids", "pids",
	     .v1_file = "pids.max", .v2_file = "pids.max", .unlimited = true),

	SPECIAL(knobs_io_weight),
	SPECIAL(knobs_io_weight_device),
	SPECIAL(knobs_io_throttle),
	SPECIAL(knobs_hugetlb),
	SPECIAL(knobs_network),
	SPECIAL(knobs_rdma),
	/* What the user says in the kernel's own words comes last and so wins. */
	SPECIAL(knobs_unified),
	SPECIAL(knobs_devices),
};
/* clang-format on */

/* A property's value, whatever its type. */
struct knob_value {
	bool negative;
	uint64_t number;  /* as int64_t when negative */
	const char *text; /* NULL for numbers */
};

/* Return: was it given? */
static bool get_value(const struct config_resources *resources, const struct knob *knob,
		      struct knob_value *ret)
{
	const void *at = (const char *)resources + knob->offset;

	*ret = (struct knob_value){ 0 };
	switch (knob->type) {
	case TYPE_I64: {
		const struct opt_i64 *v = at;

		ret->number = (uint64_t)v->v;
		ret->negative = v->v < 0;
		return v->set;
	}
	case TYPE_U64:
		ret->number = ((const struct opt_u64 *)at)->v;
		return ((const struct opt_u64 *)at)->set;
	case TYPE_BOOL:
		ret->number = ((const struct opt_bool *)at)->v;
		return ((const struct opt_bool *)at)->set;
	case TYPE_TEXT:
		ret->text = *(const char *const *)at;
		return ret->text && *ret->text;
	case TYPE_NONE:
		break;
	}
	return false;
}

static bool asks_nothing(const struct knob_builder *b, const struct knob *knob,
			 const struct knob_value *value)
{
	struct knob_target target;

	switch (knob->nothing) {
	case ALWAYS_ASKS:
		return false;
	case ZERO_IS_NOTHING:
	case ZERO_IS_NO_LIMIT:
		return value->number == 0;
	case ZERO_IS_THE_DEFAULT:
		return value->number == 0 && !(b->update && knob_find(b, &knob->home, &target));
	case ZERO_OR_LESS_NOTHING:
		return value->number == 0 || value->negative;
	case TRUE_IS_NOTHING_ON_V2:
		return value->number == 1 && b->layout->mode == CGROUP_V2;
	}
	return false;
}

static const char *value_text(struct knob_builder *b, const struct knob *knob,
			      const struct knob_value *value, bool v2)
{
	if (value->text)
		return value->text;
	if (value->negative && knob->unlimited)
		/* pids.max knows only the word, in v1 too; -1 is what the memory files of v1 read as no limit. */
		return v2 || strcmp(knob->v1_file, "pids.max") == 0 ? "max" : "-1";
	if (value->negative)
		return arena_printf(b->arena, "%" PRId64, (int64_t)value->number);
	if (v2 && knob->v2_convert)
		return arena_printf(b->arena, "%" PRIu64, knob->v2_convert(value->number));
	return arena_printf(b->arena, "%" PRIu64, value->number);
}

static int add_knob(struct knob_builder *b, const struct knob *knob)
{
	const char *pointer;
	struct cgroup_write *write;
	struct knob_target target;
	struct knob_value value;
	int r;

	if (knob->special)
		return knob->special(b);
	if (!get_value(b->resources, knob, &value))
		return 0;
	pointer = knob_pointer(b, knob->home.pointer);
	if (asks_nothing(b, knob, &value)) {
		if (knob->nothing == ZERO_IS_NO_LIMIT)
			knob_note(b, pointer, "0 asks for no limit");
		return 0;
	}
	/* No limit is what there is without the controller, too. */
	if (value.negative && knob->unlimited && !knob_find(b, &knob->home, &target))
		return 0;

	r = knob_require(b, &knob->home, pointer, &target);
	if (r < 0)
		return r;
	write = knob_add(b, &target, target.v2 ? knob->v2_file : knob->v1_file,
			 value_text(b, knob, &value, target.v2), pointer);
	if (knob->v1_usage && b->resources->memory.check_before_update.v && !value.negative)
		write->usage_file = target.v2 ? knob->v2_usage : knob->v1_usage;
	/* Nobody could be cloned into a v2 cgroup that may hold no process; v1 lets one in that comes by itself. */
	write->after_clone = target.v2 && strcmp(write->file, "pids.max") == 0 && value.number == 0;
	return 0;
}

/* The kernel gives nobody real-time time whose parent has none, and a new cgroup has none. */
static void add_parents_realtime(struct knob_builder *b)
{
	int64_t runtime = b->resources->cpu.realtime_runtime.v;
	uint64_t period = b->resources->cpu.realtime_period.v;

	if (runtime)
		b->knobs.rt_runtime = arena_printf(b->arena, "%" PRId64, runtime);
	if (period)
		b->knobs.rt_period = arena_printf(b->arena, "%" PRIu64, period);
}

static int build(struct knob_builder *b, struct cgroup_knobs *ret)
{
	const struct config_resources *resources = b->resources;
	int r;

	b->knobs.v2_needed = "";
	for (size_t i = 0; i < ARRAY_LEN(knob_table); i++) {
		r = add_knob(b, &knob_table[i]);
		if (r < 0)
			return r;
	}
	add_parents_realtime(b);
	b->knobs.cpus_given = resources->cpu.cpus && *resources->cpu.cpus;
	b->knobs.mems_given = resources->cpu.mems && *resources->cpu.mems;
	*ret = b->knobs;
	return 0;
}

int cgroup_knobs(struct arena *arena, const struct config_resources *resources,
		 const struct cgroup_layout *layout, struct cgroup_knobs *ret, struct err *err)
{
	struct knob_builder b = {
		.arena = arena, .resources = resources, .layout = layout, .err = err
	};

	return build(&b, ret);
}

int cgroup_knobs_update(struct arena *arena, const struct config_resources *resources,
			const struct cgroup_layout *layout, struct cgroup_knobs *ret,
			struct err *err)
{
	struct knob_builder b = {
		.arena = arena, .resources = resources, .layout = layout, .err = err, .update = true
	};

	return build(&b, ret);
}
