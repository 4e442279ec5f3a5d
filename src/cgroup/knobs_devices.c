/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device rules: two files on v1, a program on v2. Every container has some, given or not. */
#include "cgroup/knobs_build.h"

#include "cgroup/devices.h"

#define DEVICES_POINTER "/linux/resources/devices"

static int add_list(struct knob_builder *b, const struct knob_target *target,
		    const struct device_rules *rules)
{
	struct device_list list;
	const char *file, *pointer;
	struct cgroup_write *write;
	int r;

	r = device_rules_v1(b->arena, rules, &list, b->err);
	if (r < 0)
		return r;

	if (list.mknod_left)
		knob_note(b, DEVICES_POINTER,
			  "cgroup v1 can't deny mknod of one device; it can be made but not opened "
			  "unless another rule allows that");
	pointer = b->resources->devices.n ? DEVICES_POINTER : "";
	knob_add(b, target, list.allow ? "devices.allow" : "devices.deny", "a", pointer);
	file = list.allow ? "devices.deny" : "devices.allow";
	if (*list.own_lines) {
		write = knob_add(b, target, file, list.own_lines, "");
		write->lines = true;
		write->may_be_refused = true;
	}
	if (*list.config_lines) {
		pointer = arena_printf(b->arena, DEVICES_POINTER "/%zu", list.config_index);
		knob_add(b, target, file, list.config_lines, pointer)->lines = true;
	}
	return 0;
}

int knobs_devices(struct knob_builder *b)
{
	static const struct knob_home home = { "devices", "devices", NULL };
	struct device_rules rules;
	struct knob_target target;
	int r;

	r = device_rules_read(b->arena, &b->resources->devices, &rules, b->err);
	if (r < 0)
		return r;
	/*
	 * A user namespace can't make device nodes, and those that are bound are the caller's to open
	 * anyway (row K-3).
	 */
	if (b->layout->narrow) {
		if (b->resources->devices.n)
			knob_note(b, DEVICES_POINTER,
				  "only root of the host may filter devices; in a user namespace "
				  "no node of one can be "
				  "made");
		return 0;
	}
	if (knob_find(b, &home, &target))
		return add_list(b, &target, &rules);
	if (cgroup_find_v2(b->layout) >= 0) {
		device_rules_bpf(b->arena, &rules, &b->knobs.device_program,
				 &b->knobs.n_device_program);
		b->knobs.device_pointer = b->resources->devices.n ? DEVICES_POINTER : "";
		return 0;
	}
	if (b->resources->devices.n)
		return knob_require(b, &home, DEVICES_POINTER, &target);
	return 0;
}
