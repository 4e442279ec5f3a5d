/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of single values that several sections of the config have in common.
 */
#include "spec/config_read.h"

#include "base/num.h"

#include <stdio.h>
#include <string.h>

/* The kernel's own bound on lines in /proc/PID/uid_map (UID_GID_MAP_MAX_EXTENTS). */
#define ID_MAPS_MAX 340

/* More than any kernel's CONFIG_NR_CPUS or MAX_NUMNODES; what the host has is the plan's business. */
#define LIST_NUMBER_MAX 65535

/* One number of a list. Return: what follows it, NULL if there is none */
static const char *skip_number(const char *text, uint64_t *ret)
{
	size_t len = strspn(text, "0123456789");

	if (num_u64(text, len, ret) < 0 || *ret > LIST_NUMBER_MAX)
		return NULL;
	return text + len;
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " ");
}

static bool is_number_list(const char *text)
{
	uint64_t first, last;

	for (;;) {
		text = skip_number(skip_blanks(text), &first);
		if (!text)
			return false;
		text = skip_blanks(text);
		if (*text == '-') {
			text = skip_number(skip_blanks(text + 1), &last);
			if (!text || last < first)
				return false;
			text = skip_blanks(text);
		}
		if (!*text)
			return true;
		if (*text++ != ',')
			return false;
	}
}

int check_number_list(struct decoder *d, const struct json *v, void *out)
{
	if (is_number_list(v->text))
		return 0;
	return decode_fail(d, v, "expected a list like \"0-3,7\", got %s", decode_got(d, v));
}

int check_env(struct decoder *d, const struct json *v, void *out)
{
	const char *equals = strchr(v->text, '=');

	if (equals && equals != v->text)
		return 0;
	return decode_fail(d, v, "expected NAME=VALUE, got %s", decode_got(d, v));
}

static int by_container_id(const void *a, const void *b)
{
	const struct id_map *left = a, *right = b;

	return left->container_id < right->container_id ? -1
							: left->container_id > right->container_id;
}

static int by_host_id(const void *a, const void *b)
{
	const struct id_map *left = a, *right = b;

	return left->host_id < right->host_id ? -1 : left->host_id > right->host_id;
}

static int check_overlap(struct decoder *d, const struct json *v, const struct id_map_list *maps)
{
	struct id_map sorted[ID_MAPS_MAX];

	memcpy(sorted, maps->items, maps->n * sizeof(sorted[0]));
	qsort(sorted, maps->n, sizeof(sorted[0]), by_container_id);
	for (size_t i = 1; i < maps->n; i++) {
		if (sorted[i].container_id - sorted[i - 1].container_id < sorted[i - 1].size)
			return decode_fail(d, v, "container id %u is in two of the ranges",
					   sorted[i].container_id);
	}
	qsort(sorted, maps->n, sizeof(sorted[0]), by_host_id);
	for (size_t i = 1; i < maps->n; i++) {
		if (sorted[i].host_id - sorted[i - 1].host_id < sorted[i - 1].size)
			return decode_fail(d, v, "host id %u is in two of the ranges",
					   sorted[i].host_id);
	}
	return 0;
}

int check_id_maps(struct decoder *d, const struct json *v, const struct id_map_list *maps)
{
	if (maps->n > ID_MAPS_MAX)
		return decode_fail(d, v, "%zu ranges are more than the kernel's limit of %d",
				   maps->n, ID_MAPS_MAX);
	return maps->n ? check_overlap(d, v, maps) : 0;
}
