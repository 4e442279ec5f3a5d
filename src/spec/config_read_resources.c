/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linux.resources: the limits of the cgroup. Values are kept as the spec has them; what a cgroup version makes of them
 * is cgroup/'s business. 0 means "not set" for shares and weights, and is a real limit for pids.
 *
 * Spec: config-linux.md "Control groups"; rows
 */
#include "spec/config_read.h"

#include <string.h>

/* ---- devices ------------------------------------------------------------------------------------------------ */

/* -1 is an old way to say "any", as leaving it out is. */
static int decode_rule_number(struct decoder *d, const struct json *v, uint64_t max,
			      struct opt_u32 *out)
{
	int64_t value;

	if (json_i64(v, &value) < 0 || value < -1 || value > (int64_t)max)
		return decode_fail(d, v, "expected an integer from 0 to %u, or -1 for any, got %s",
				   (unsigned)max, decode_got(d, v));
	if (value >= 0)
		*out = (struct opt_u32){ true, (uint32_t)value };
	return 0;
}

static int decode_rule_major(struct decoder *d, const struct json *v, void *out)
{
	return decode_rule_number(d, v, DEVICE_MAJOR_MAX, out);
}

static int decode_rule_minor(struct decoder *d, const struct json *v, void *out)
{
	return decode_rule_number(d, v, DEVICE_MINOR_MAX, out);
}

static int decode_access(struct decoder *d, const struct json *v, void *out)
{
	struct config_device_rule *rule = out;

	if (v->type != JSON_STRING || v->text[strspn(v->text, "rwm")])
		return decode_fail(d, v, "expected letters of \"rwm\", got %s", decode_got(d, v));
	rule->read = strchr(v->text, 'r');
	rule->write = strchr(v->text, 'w');
	rule->mknod = strchr(v->text, 'm');
	return 0;
}

static int complete_rule(struct decoder *d, const struct json *v, void *out)
{
	struct config_device_rule *rule = out;

	if (!rule->type)
		rule->type = 'a';
	if (!rule->read && !rule->write && !rule->mknod)
		rule->read = rule->write = rule->mknod = true;
	return 0;
}

static const struct field rule_fields[] = {
	{ "allow", BOOL(struct config_device_rule, allow), .flags = REQUIRED },
	{ "type", WORD(struct config_device_rule, type, words_rule_type) },
	{ "major", CUSTOM(struct config_device_rule, major, decode_rule_major) },
	{ "minor", CUSTOM(struct config_device_rule, minor, decode_rule_minor) },
	{ "access", CUSTOM(struct config_device_rule, allow, decode_access) },
};

static const struct object rule_object =
	OBJECT(struct config_device_rule, rule_fields, complete_rule);

/* ---- memory, cpu -------------------------------------------------------------------------------------------- */

static int check_memory(struct decoder *d, const struct json *v, void *out)
{
	const struct config_resources *r = out;
	int64_t limit = r->memory.limit.v, swap = r->memory.swap.v;

	/* swap is memory and swap together; 0 counts as unset, -1 as no limit. */
	if (swap <= 0)
		return 0;
	if (!r->memory.limit.set || limit == 0)
		return decode_fail(
			d, json_member(v, "swap"),
			"it counts memory and swap together, so it needs a limit for memory");
	if (limit < 0 || limit > swap)
		return decode_fail(d, json_member(v, "swap"),
				   "it counts memory and swap together, so it can't be below the "
				   "limit of memory");
	return 0;
}

static const struct field memory_fields[] = {
	{ "limit", OPT_I64(struct config_resources, memory.limit), .min = -1 },
	{ "reservation", OPT_I64(struct config_resources, memory.reservation), .min = -1 },
	{ "swap", OPT_I64(struct config_resources, memory.swap), .min = -1 },
	{ "kernel", OPT_I64(struct config_resources, memory.kernel), .min = -1 },
	{ "kernelTCP", OPT_I64(struct config_resources, memory.kernel_tcp), .min = -1 },
	{ "swappiness", OPT_U64(struct config_resources, memory.swappiness), .max = 100 },
	{ "disableOOMKiller", OPT_BOOL(struct config_resources, memory.disable_oom_killer) },
	{ "useHierarchy", OPT_BOOL(struct config_resources, memory.use_hierarchy) },
	{ "checkBeforeUpdate", OPT_BOOL(struct config_resources, memory.check_before_update) },
};

static const struct object memory_object =
	OBJECT(struct config_resources, memory_fields, check_memory);

static int check_cpu(struct decoder *d, const struct json *v, void *out)
{
	const struct config_resources *r = out;

	if (r->cpu.quota.v <= 0 || r->cpu.burst.v <= (uint64_t)r->cpu.quota.v)
		return 0;
	return decode_fail(d, json_member(v, "burst"), "can't be above the quota");
}

static const struct field cpu_fields[] = {
	{ "shares", OPT_U64(struct config_resources, cpu.shares) },
	{ "quota", OPT_I64(struct config_resources, cpu.quota) },
	{ "period", OPT_U64(struct config_resources, cpu.period) },
	{ "burst", OPT_U64(struct config_resources, cpu.burst) },
	{ "realtimeRuntime", OPT_I64(struct config_resources, cpu.realtime_runtime) },
	{ "realtimePeriod", OPT_U64(struct config_resources, cpu.realtime_period) },
	{ "idle", OPT_I64(struct config_resources, cpu.idle), .min = 0, .max = 1 },
	{ "cpus", STRING(struct config_resources, cpu.cpus), .flags = EMPTY_IS_ABSENT,
	  .check = check_number_list },
	{ "mems", STRING(struct config_resources, cpu.mems), .flags = EMPTY_IS_ABSENT,
	  .check = check_number_list },
};

static const struct object cpu_object = OBJECT(struct config_resources, cpu_fields, check_cpu);

static const struct field pids_fields[] = {
	{ "limit", OPT_I64(struct config_resources, pids_limit), .min = -1 },
};

static const struct object pids_object = OBJECT(struct config_resources, pids_fields, NULL);

/* ---- block I/O ---------------------------------------------------------------------------------------------- */

static int check_weight(struct decoder *d, const struct json *v, struct opt_u16 weight)
{
	if (!weight.set || !weight.v || (weight.v >= 10 && weight.v <= 1000))
		return 0;
	return decode_fail(d, v, "expected a weight from 10 to 1000, got %u", weight.v);
}

static int check_weights(struct decoder *d, const struct json *v, struct opt_u16 weight,
			 struct opt_u16 leaf)
{
	int r;

	r = check_weight(d, json_member(v, "weight"), weight);
	return r < 0 ? r : check_weight(d, json_member(v, "leafWeight"), leaf);
}

static int check_weight_device(struct decoder *d, const struct json *v, void *out)
{
	const struct config_weight_device *device = out;

	if (!device->weight.set && !device->leaf_weight.set)
		return decode_fail(d, v, "neither weight nor leafWeight is given");
	return check_weights(d, v, device->weight, device->leaf_weight);
}

static const struct field weight_device_fields[] = {
	{ "major", U32(struct config_weight_device, major), .flags = REQUIRED,
	  .max = DEVICE_MAJOR_MAX },
	{ "minor", U32(struct config_weight_device, minor), .flags = REQUIRED,
	  .max = DEVICE_MINOR_MAX },
	{ "weight", OPT_U16(struct config_weight_device, weight) },
	{ "leafWeight", OPT_U16(struct config_weight_device, leaf_weight) },
};

static const struct object weight_device_object =
	OBJECT(struct config_weight_device, weight_device_fields, check_weight_device);

static const struct field throttle_fields[] = {
	{ "major", U32(struct config_throttle_device, major), .flags = REQUIRED,
	  .max = DEVICE_MAJOR_MAX },
	{ "minor", U32(struct config_throttle_device, minor), .flags = REQUIRED,
	  .max = DEVICE_MINOR_MAX },
	{ "rate", U64(struct config_throttle_device, rate), .flags = REQUIRED },
};

static const struct object throttle_object =
	OBJECT(struct config_throttle_device, throttle_fields, NULL);

static int check_block_io(struct decoder *d, const struct json *v, void *out)
{
	const struct config_resources *r = out;

	return check_weights(d, v, r->block_io.weight, r->block_io.leaf_weight);
}

static const struct field block_io_fields[] = {
	{ "weight", OPT_U16(struct config_resources, block_io.weight) },
	{ "leafWeight", OPT_U16(struct config_resources, block_io.leaf_weight) },
	{ "weightDevice",
	  OBJECTS(struct config_resources, block_io.weight_device, weight_device_object) },
	{ "throttleReadBpsDevice",
	  OBJECTS(struct config_resources, block_io.read_bps, throttle_object) },
	{ "throttleWriteBpsDevice",
	  OBJECTS(struct config_resources, block_io.write_bps, throttle_object) },
	{ "throttleReadIOPSDevice",
	  OBJECTS(struct config_resources, block_io.read_iops, throttle_object) },
	{ "throttleWriteIOPSDevice",
	  OBJECTS(struct config_resources, block_io.write_iops, throttle_object) },
};

static const struct object block_io_object =
	OBJECT(struct config_resources, block_io_fields, check_block_io);

/* ---- the rest ----------------------------------------------------------------------------------------------- */

/* As the directories below /sys/kernel/mm/hugepages are named in the cgroup's files: 64KB, 2MB, 1GB. */
static int check_page_size(struct decoder *d, const struct json *v, void *out)
{
	size_t digits = strspn(v->text, "0123456789");
	const char *unit = v->text + digits;

	if (digits && v->text[0] != '0' &&
	    (!strcmp(unit, "KB") || !strcmp(unit, "MB") || !strcmp(unit, "GB")))
		return 0;
	return decode_fail(d, v, "expected a size like \"2MB\", got %s", decode_got(d, v));
}

static const struct field hugepage_fields[] = {
	{ "pageSize", STRING(struct config_hugepage_limit, page_size), .flags = REQUIRED,
	  .check = check_page_size },
	{ "limit", U64(struct config_hugepage_limit, limit), .flags = REQUIRED },
};

static const struct object hugepage_object =
	OBJECT(struct config_hugepage_limit, hugepage_fields, NULL);

static const struct field priority_fields[] = {
	{ "name", STRING(struct config_if_priority, name), .flags = REQUIRED | NOT_EMPTY },
	{ "priority", U32(struct config_if_priority, priority), .flags = REQUIRED },
};

static const struct object priority_object =
	OBJECT(struct config_if_priority, priority_fields, NULL);

static const struct field network_fields[] = {
	{ "classID", OPT_U32(struct config_resources, network.class_id) },
	{ "priorities", OBJECTS(struct config_resources, network.priorities, priority_object) },
};

static const struct object network_object = OBJECT(struct config_resources, network_fields, NULL);

static int check_rdma(struct decoder *d, const struct json *v, void *out)
{
	const struct config_rdma *rdma = out;

	if (rdma->hca_handles.set || rdma->hca_objects.set)
		return 0;
	return decode_fail(d, v, "neither hcaHandles nor hcaObjects is given");
}

static const struct field rdma_fields[] = {
	{ "hcaHandles", OPT_U32(struct config_rdma, hca_handles) },
	{ "hcaObjects", OPT_U32(struct config_rdma, hca_objects) },
};

static const struct object rdma_object = OBJECT(struct config_rdma, rdma_fields, check_rdma);

/* The keys are names of files in the cgroup's directory, and of nothing outside it. */
static int check_unified(struct decoder *d, const struct json *v, void *out)
{
	if (!strchr(v->key, '/') && strcmp(v->key, ".") && strcmp(v->key, ".."))
		return 0;
	return decode_fail(d, v, "expected the name of a file in the cgroup");
}

/* No architecture has more than a handful of page sizes. */
#define PAGE_SIZES_MAX 32

static int check_resources(struct decoder *d, const struct json *v, void *out)
{
	const struct config_hugepage_limit_list *limits =
		&((struct config_resources *)out)->hugepage_limits;
	const struct json *list = json_member(v, "hugepageLimits");

	if (limits->n > PAGE_SIZES_MAX)
		return decode_fail(d, list, "more than %d page sizes", PAGE_SIZES_MAX);
	for (size_t i = 0; i < limits->n; i++) {
		for (size_t k = 0; k < i; k++) {
			if (!strcmp(limits->items[i].page_size, limits->items[k].page_size))
				return decode_fail(d, json_entry(list, i),
						   "page size %s is there twice",
						   limits->items[i].page_size);
		}
	}
	return 0;
}

static const struct field resources_fields[] = {
	{ "devices", OBJECTS(struct config_resources, devices, rule_object) },
	{ "memory", GROUP(memory_object) },
	{ "cpu", GROUP(cpu_object) },
	{ "pids", GROUP(pids_object) },
	{ "blockIO", GROUP(block_io_object) },
	{ "hugepageLimits", OBJECTS(struct config_resources, hugepage_limits, hugepage_object) },
	{ "network", GROUP(network_object) },
	{ "rdma", OBJECT_MAP(struct config_resources, rdma, rdma_object) },
	{ "unified", STRING_MAP(struct config_resources, unified), .check = check_unified },
};

const struct object resources_object =
	OBJECT(struct config_resources, resources_fields, check_resources);
