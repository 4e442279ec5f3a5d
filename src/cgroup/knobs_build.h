/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the knobs*.c files only: the list being built, and the questions that every property asks of the host. */
#ifndef TARE_CGROUP_KNOBS_BUILD_H
#define TARE_CGROUP_KNOBS_BUILD_H

#include "cgroup/knobs.h"

struct knob_builder {
	struct arena *arena;
	const struct config_resources *resources;
	const struct cgroup_layout *layout;
	struct cgroup_knobs knobs;
	bool update; /* the cgroup is in use and may have other values than a new one */
	struct err *err;
};

/* One property's home: what it is called, and in which controller it lives in each version. */
struct knob_home {
	const char *pointer; /* the property, below KNOB_POINTER */
	const char *v1, *v2; /* controllers; NULL: that version has none for it */
};

#define KNOB_POINTER KNOB_ROOT "/"

/* Where a property goes on this host. */
struct knob_target {
	size_t hierarchy;
	bool v2;
};

/*
 * knob_find() - the hierarchy for a property; v1 wins where a controller is on both kinds of hierarchy
 * Return: 1 and *ret; 0 if this host has none
 */
int knob_find(const struct knob_builder *b, const struct knob_home *home, struct knob_target *ret);

/* knob_require() - knob_find(), but none is an error at @pointer (complete). Return: 0; -EINVAL */
int knob_require(struct knob_builder *b, const struct knob_home *home, const char *pointer,
		 struct knob_target *ret) MUST_CHECK;

/*
 * knob_add() - append a write; on v2 the controller that @file names is noted as needed
 * Return: the write, valid until the next knob_add(), for the members that are seldom used
 */
struct cgroup_write *knob_add(struct knob_builder *b, const struct knob_target *target,
			      const char *file, const char *value, const char *pointer);

/* knob_note() - say in `explain` why a property leads to no write */
void knob_note(struct knob_builder *b, const char *pointer, const char *why);

/* knob_pointer() - the complete JSON pointer of a property below linux.resources */
const char *knob_pointer(struct knob_builder *b, const char *below);

/* knob_escape() - @key as one part of a JSON pointer. Spec: RFC 6901 section 3 */
const char *knob_escape(struct knob_builder *b, const char *key);

/* What a single value in a table can't say; each reads its part of resources. Return: 0; -EINVAL and b->err */
typedef int knob_fn(struct knob_builder *b);

knob_fn knobs_swap, knobs_cpu_max;                                  /* knobs_memory_cpu.c */
knob_fn knobs_io_weight, knobs_io_weight_device, knobs_io_throttle; /* knobs_io.c */
knob_fn knobs_hugetlb, knobs_network, knobs_rdma, knobs_unified;    /* knobs_lists.c */
knob_fn knobs_devices;                                              /* knobs_devices.c */

#endif
