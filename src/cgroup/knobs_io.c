/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block IO. Weights are the work of an IO scheduler: with BFQ they are in its own files, on v1 and v2 alike and on v1's
 * scale; v2 without BFQ has io.weight. Which files are there shows only when the cgroup is made, so such a write names both.
 */
#include "cgroup/knobs_build.h"

#include "cgroup/convert.h"

#include <inttypes.h>

#define WEIGHT_MAX 1000

static const struct knob_home weight_home = { "blockIO/weight", "blkio", "io" };
static const struct knob_home leaf_home = { "blockIO/leafWeight", "blkio", NULL };
static const struct knob_home device_leaf_home = { "blockIO/weightDevice/leafWeight", "blkio",
						   NULL };

/* @device: "" or "8:0 ". Adds the write with its stand-in for hosts without BFQ's file. */
static int add_weight(struct knob_builder *b, const char *device, uint16_t weight,
		      const char *pointer)
{
	const char *v1_bfq = *device ? "blkio.bfq.weight_device" : "blkio.bfq.weight";
	const char *v1_cfq = *device ? "blkio.weight_device" : "blkio.weight";
	struct cgroup_write *write;
	struct knob_target target;
	int r;

	r = knob_require(b, &weight_home, pointer, &target);
	if (r < 0)
		return r;
	if (weight > WEIGHT_MAX) {
		err_user(b->err, "set an IO weight of %u: the scale ends at %d", weight,
			 WEIGHT_MAX);
		return err_at(b->err, pointer);
	}
	write = knob_add(b, &target, target.v2 ? "io.bfq.weight" : v1_bfq,
			 arena_printf(b->arena, "%s%u", device, weight), pointer);
	write->other_file = target.v2 ? "io.weight" : v1_cfq;
	write->other_value =
		target.v2 ? arena_printf(b->arena, "%s%" PRIu64, device, cgroup_io_weight(weight))
			  : write->value;
	return 0;
}

static int add_leaf_weight(struct knob_builder *b, const struct knob_home *home, const char *device,
			   uint16_t weight, const char *pointer)
{
	struct knob_target target;
	int r;

	r = knob_require(b, home, pointer, &target);
	if (r < 0)
		return r;
	knob_add(b, &target, *device ? "blkio.leaf_weight_device" : "blkio.leaf_weight",
		 arena_printf(b->arena, "%s%u", device, weight), pointer);
	return 0;
}

int knobs_io_weight(struct knob_builder *b)
{
	uint16_t weight = b->resources->block_io.weight.v,
		 leaf = b->resources->block_io.leaf_weight.v;
	int r = 0;

	if (weight)
		r = add_weight(b, "", weight, knob_pointer(b, weight_home.pointer));
	if (r == 0 && leaf)
		r = add_leaf_weight(b, &leaf_home, "", leaf, knob_pointer(b, leaf_home.pointer));
	return r;
}

int knobs_io_weight_device(struct knob_builder *b)
{
	const struct config_weight_device_list *list = &b->resources->block_io.weight_device;
	int r = 0;

	for (size_t i = 0; i < list->n && r == 0; i++) {
		const struct config_weight_device *item = &list->items[i];
		const char *device = arena_printf(b->arena, "%u:%u ", item->major, item->minor);
		const char *base =
			arena_printf(b->arena, KNOB_POINTER "blockIO/weightDevice/%zu", i);

		if (item->weight.v)
			r = add_weight(b, device, item->weight.v,
				       arena_printf(b->arena, "%s/weight", base));
		if (r == 0 && item->leaf_weight.v)
			r = add_leaf_weight(b, &device_leaf_home, device, item->leaf_weight.v,
					    arena_printf(b->arena, "%s/leafWeight", base));
	}
	return r;
}

/* ---- throttling ------------------------------------------------------------------------------------------------- */

static const struct throttle {
	struct knob_home home;
	size_t offset; /* of the list in struct config_resources */
	const char *v1_file;
	const char *v2_key; /* in io.max */
} throttles[] = {
	{ { "blockIO/throttleReadBpsDevice", "blkio", "io" },
	  offsetof(struct config_resources, block_io.read_bps),
	  "blkio.throttle.read_bps_device",
	  "rbps" },
	{ { "blockIO/throttleWriteBpsDevice", "blkio", "io" },
	  offsetof(struct config_resources, block_io.write_bps),
	  "blkio.throttle.write_bps_device",
	  "wbps" },
	{ { "blockIO/throttleReadIOPSDevice", "blkio", "io" },
	  offsetof(struct config_resources, block_io.read_iops),
	  "blkio.throttle.read_iops_device",
	  "riops" },
	{ { "blockIO/throttleWriteIOPSDevice", "blkio", "io" },
	  offsetof(struct config_resources, block_io.write_iops),
	  "blkio.throttle.write_iops_device",
	  "wiops" },
};

static int add_throttle(struct knob_builder *b, const struct throttle *throttle,
			const struct config_throttle_device *device, const char *pointer)
{
	const char *rate = arena_printf(b->arena, "%" PRIu64, device->rate), *value;
	struct knob_target target;
	int r;

	r = knob_require(b, &throttle->home, pointer, &target);
	if (r < 0)
		return r;
	/* A rate of 0 takes the limit off on v1; v2 has a word for it and refuses 0. */
	if (target.v2)
		value = arena_printf(b->arena, "%u:%u %s=%s", device->major, device->minor,
				     throttle->v2_key, device->rate ? rate : "max");
	else
		value = arena_printf(b->arena, "%u:%u %s", device->major, device->minor, rate);
	knob_add(b, &target, target.v2 ? "io.max" : throttle->v1_file, value, pointer);
	return 0;
}

int knobs_io_throttle(struct knob_builder *b)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(throttles); i++) {
		const struct config_throttle_device_list *list =
			(const void *)((const char *)b->resources + throttles[i].offset);

		for (size_t k = 0; k < list->n && r == 0; k++)
			r = add_throttle(b, &throttles[i], &list->items[k],
					 arena_printf(b->arena, KNOB_POINTER "%s/%zu",
						      throttles[i].home.pointer, k));
	}
	return r;
}
