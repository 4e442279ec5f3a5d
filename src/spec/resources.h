/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `update`: a LinuxResources object that changes some of a container's linux.resources.
 *
 * The change is merged with what the container has, member by member, and the result must be as valid as a config.json is.
 * What counts as given follows runc: null, and 0 or "" where the spec's 0 means "not set", leave things as they are.
 * Lists of devices, page sizes and interfaces are merged by entry; `devices`, whose order matters, is replaced as a whole.
 * A memory limit of -1 takes the limit of memory and swap along, which can't stay below it.
 *
 * Spec: config-linux.md "Control groups"; requirements 2.2 "update"; row C-9
 */
#ifndef TARE_SPEC_RESOURCES_H
#define TARE_SPEC_RESOURCES_H

#include "base/json.h"
#include "spec/config.h"

struct resources_change {
	const struct json *given; /* the change as it was written */
	struct config_resources before, after;
	struct config_ignored_list ignored; /* of what was given: names that nobody knows */
	const char *config;                 /* config.json with the result in it, to be saved */
	size_t config_len;
};

/*
 * resources_change_read() - merge @text into the linux.resources of @config
 * @arena:  owns everything in *ret
 * @config: the container's config.json, as it was saved; borrowed, as is @text
 * @rdt:    schemas of linux.intelRdt that change as well, checked by the caller; NULL, or members that are NULL: none
 *
 * Pointers in errors and in @ret->ignored count from the change: "/memory/limit".
 * Return: 0; -EINVAL
 */
int resources_change_read(struct arena *arena, const char *config, size_t config_len,
			  const char *text, size_t len, const struct config_intel_rdt *rdt,
			  struct resources_change *ret, struct err *err) MUST_CHECK;

/* resources_is_given() - does the change itself have a value at this pointer? */
bool resources_is_given(const struct resources_change *change, const char *pointer);

#endif
