/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The properties that are lists: huge pages, network classes and priorities, RDMA, and v2's files as they are. */
#include "cgroup/knobs_build.h"

#include <inttypes.h>
#include <string.h>

static const struct knob_home hugetlb_home = { "hugepageLimits", "hugetlb", "hugetlb" };
static const struct knob_home class_home = { "network/classID", "net_cls", NULL };
static const struct knob_home priority_home = { "network/priorities", "net_prio", NULL };
static const struct knob_home rdma_home = { "rdma", "rdma", "rdma" };

/*
 * Reservations are limited where the kernel counts them, so that a program that maps too much is told at once; use is
 * limited as well, for pages that come without a reservation.
 */
static int add_hugetlb(struct knob_builder *b, const struct config_hugepage_limit *item, size_t i)
{
	const char *pointer = arena_printf(b->arena, KNOB_POINTER "hugepageLimits/%zu", i);
	const char *limit = arena_printf(b->arena, "%" PRIu64, item->limit), *suffix;
	struct knob_target target;
	int r;

	r = knob_require(b, &hugetlb_home, pointer, &target);
	if (r < 0)
		return r;
	suffix = target.v2 ? "max" : "limit_in_bytes";
	knob_add(b, &target, arena_printf(b->arena, "hugetlb.%s.%s", item->page_size, suffix),
		 limit, pointer);
	knob_add(b, &target, arena_printf(b->arena, "hugetlb.%s.rsvd.%s", item->page_size, suffix),
		 limit, pointer)
		->optional = true;
	return 0;
}

int knobs_hugetlb(struct knob_builder *b)
{
	int r = 0;

	for (size_t i = 0; i < b->resources->hugepage_limits.n && r == 0; i++)
		r = add_hugetlb(b, &b->resources->hugepage_limits.items[i], i);
	return r;
}

int knobs_network(struct knob_builder *b)
{
	const struct config_if_priority_list *list = &b->resources->network.priorities;
	struct knob_target target;
	const char *pointer;
	int r;

	if (b->resources->network.class_id.v) {
		pointer = knob_pointer(b, class_home.pointer);
		r = knob_require(b, &class_home, pointer, &target);
		if (r < 0)
			return r;
		knob_add(b, &target, "net_cls.classid",
			 arena_printf(b->arena, "%u", b->resources->network.class_id.v), pointer);
	}
	for (size_t i = 0; i < list->n; i++) {
		pointer = arena_printf(b->arena, KNOB_POINTER "network/priorities/%zu", i);
		r = knob_require(b, &priority_home, pointer, &target);
		if (r < 0)
			return r;
		knob_add(b, &target, "net_prio.ifpriomap",
			 arena_printf(b->arena, "%s %u", list->items[i].name,
				      list->items[i].priority),
			 pointer);
	}
	return 0;
}

int knobs_rdma(struct knob_builder *b)
{
	const struct config_rdma_list *list = &b->resources->rdma;
	struct knob_target target;
	int r;

	for (size_t i = 0; i < list->n; i++) {
		const struct config_rdma *item = &list->items[i];
		const char *pointer = arena_printf(b->arena, KNOB_POINTER "rdma/%s",
						   knob_escape(b, item->device));
		const char *value = item->device;

		r = knob_require(b, &rdma_home, pointer, &target);
		if (r < 0)
			return r;
		if (item->hca_handles.set)
			value = arena_printf(b->arena, "%s hca_handle=%u", value,
					     item->hca_handles.v);
		if (item->hca_objects.set)
			value = arena_printf(b->arena, "%s hca_object=%u", value,
					     item->hca_objects.v);
		knob_add(b, &target, "rdma.max", value, pointer);
	}
	return 0;
}

/* ---- unified ---------------------------------------------------------------------------------------------------- */

/* Controllers that the kernel has in v2; a key that begins with another word is tried as it is. */
static const char *const v2_controllers[] = {
	"cpu", "cpuset", "dmem", "hugetlb", "io", "memory", "misc", "perf_event", "pids", "rdma",
};

static bool is_controller(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(v2_controllers); i++) {
		if (strcmp(v2_controllers[i], word) == 0)
			return true;
	}
	return false;
}

static int refuse_unified(struct knob_builder *b, const char *key, const char *pointer,
			  const char *why, const char *hint)
{
	err_user(b->err, "write unified \"%s\": %s", key, why);
	err_at(b->err, pointer);
	return err_hint(b->err, "%s", hint);
}

static int add_unified(struct knob_builder *b, const struct key_value *item)
{
	const char *pointer =
		arena_printf(b->arena, KNOB_POINTER "unified/%s", knob_escape(b, item->key));
	const char *controller = arena_strndup(b->arena, item->key, strcspn(item->key, "."));
	int v2 = cgroup_find_v2(b->layout);
	struct knob_target target = { .v2 = true };
	struct cgroup_write *write;

	if (!*item->key || strchr(item->key, '/') || strcmp(item->key, "..") == 0 ||
	    strcmp(item->key, ".") == 0)
		return refuse_unified(
			b, item->key, pointer, "that is not the name of a file in a cgroup",
			"a key is a file of the container's own cgroup, e.g. \"memory.high\"");
	if (v2 < 0)
		return refuse_unified(b, item->key, pointer, "this host has no cgroup v2 mount",
				      "say it in v1 words: linux.resources.memory, cpu, pids, ...");
	if (is_controller(controller) && !cgroup_has_controller(&b->layout->items[v2], controller))
		return refuse_unified(
			b, item->key, pointer, "the cgroup v2 mount has no such controller",
			arena_printf(b->arena, "controllers of \"%s\": %s",
				     b->layout->items[v2].mount, b->layout->items[v2].controllers));

	target.hierarchy = (size_t)v2;
	write = knob_add(b, &target, item->key, item->value, pointer);
	/* Files like io.max take one line in one write. */
	write->lines = strchr(item->value, '\n') != NULL;
	return 0;
}

int knobs_unified(struct knob_builder *b)
{
	int r = 0;

	for (size_t i = 0; i < b->resources->unified.n && r == 0; i++)
		r = add_unified(b, &b->resources->unified.items[i]);
	return r;
}
