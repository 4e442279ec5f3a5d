/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of layers that are there already: all that a start needs of layers.h, and without what unpacks. */
#include "image/layers.h"
#include "os/dir.h"

#include <stdio.h>
#include <string.h>

int layers_name(const char *diff_id, char *buf)
{
	enum digest_algorithm algorithm;
	const char *hex, *why;
	int r = digest_parse(diff_id, &algorithm, &hex, &why);

	if (r == 0)
		snprintf(buf, LAYER_NAME_MAX, "%s-%s", digest_algorithm_name(algorithm), hex);
	return r;
}

void layers_mapped_name(const char *name, const struct id_map *map, char *buf)
{
	snprintf(buf, LAYER_MAPPED_NAME_MAX, "%s+%u+%u", name, map->host_id, map->size);
}

const char *layers_name_of(const char *name, char *buf)
{
	snprintf(buf, LAYER_NAME_MAX, "%.*s", (int)strcspn(name, "+"), name);
	return buf;
}

int layers_have(const struct store *store, const char *name, struct err *err)
{
	int r = os_exists_at(store->layers, name);

	return r < 0 ? err_set(err, r, "look for the layer") : r;
}
