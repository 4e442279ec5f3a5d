/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From linux.resources to the writes that put it in force, for the hierarchies that the host has.
 *
 * Pure: tables say which file of which controller a property goes to, in v1 and in v2 words, and which conversion lies
 * between them. A controller on a v1 hierarchy is spoken to in v1 words even where a v2 mount stands beside it. What a
 * host can't express is refused with its JSON pointer, never dropped; only values that ask for nothing (a limit of 0 or
 * "unlimited" where no controller is) may pass without a write.
 *
 * Spec: config-linux.md "Control groups"; rows and K-14, K-15
 */
#ifndef TARE_CGROUP_KNOBS_H
#define TARE_CGROUP_KNOBS_H

#include "cgroup/layout.h"
#include "spec/config.h"

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>

/* One thing to write; strings live in the arena given to cgroup_knobs(). */
struct cgroup_write {
	size_t hierarchy;       /* index into the layout */
	const char *file;       /* "memory.max" */
	const char *value;      /* without a newline; with `lines`: one write for each line of it */
	const char *other_file; /* write @other_value there when @file isn't there; or NULL */
	const char *other_value;
	const char *usage_file; /* holds a number that must not be above @value; or NULL */
	/* JSON pointer of the property; "" when it comes from tare's own defaults */
	const char *pointer;
	bool lines;
	bool optional;       /* no such file: nothing to do */
	bool may_be_refused; /* EPERM is no error: the parent cgroup doesn't have it either */
	bool after_clone;    /* would stop the clone itself */
};

/* Something in the config that needs no write, and why; for `explain`. */
struct cgroup_note {
	const char *pointer, *why;
};

struct cgroup_knobs {
	struct cgroup_write *items;
	size_t n;
	struct cgroup_note *notes;
	size_t n_notes;
	const char *v2_needed; /* controllers that the v2 writes need, "+memory +pids", or "" */
	const struct bpf_insn *device_program; /* for the v2 hierarchy; NULL when none is needed */
	uint32_t n_device_program;
	const char *device_pointer;
	const char *rt_runtime, *rt_period; /* v1: what new parents need of it, too; or NULL */
	/* cpuset on v1 needs both before anyone can join; these are written anyway */
	bool cpus_given, mems_given;
};

#define KNOB_ROOT "/linux/resources"

/*
 * cgroup_knobs() - the writes for @resources, in an order in which the kernel accepts them
 * @resources: may be unset: then only the device rules that every container has
 *
 * Return: 0; -EINVAL and *err with the JSON pointer, when this host can't express something
 */
int cgroup_knobs(struct arena *arena, const struct config_resources *resources,
		 const struct cgroup_layout *layout, struct cgroup_knobs *ret,
		 struct err *err) MUST_CHECK;

/*
 * cgroup_knobs_update() - the same for a cgroup that is in use: what only says how a new one is anyway, like `idle` 0, is
 * written as well
 */
int cgroup_knobs_update(struct arena *arena, const struct config_resources *resources,
			const struct cgroup_layout *layout, struct cgroup_knobs *ret,
			struct err *err) MUST_CHECK;

#endif
