/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/string_map.h"

#include <string.h>
#include <sys/random.h>

#define FIRST_SIZE 64

/* FNV-1a. */
static uint64_t hash_of(const struct string_map *map, const char *key)
{
	uint64_t hash = 0xcbf29ce484222325 ^ map->seed;

	for (; *key; key++)
		hash = (hash ^ (unsigned char)*key) * 0x100000001b3;
	return hash ^ hash >> 32;
}

/* Where @key is, or the free place where it would be. There is always a free one. */
static struct string_map_entry *place_of(const struct string_map *map, const char *key)
{
	size_t mask = map->size - 1, at = hash_of(map, key) & mask;

	while (map->entries[at].key && strcmp(map->entries[at].key, key) != 0)
		at = (at + 1) & mask;
	return &map->entries[at];
}

static void grow(struct string_map *map)
{
	struct string_map_entry *old = map->entries;
	size_t old_size = map->size;

	/* Without a seed it works as well, only somebody could slow it down. */
	if (!old)
		(void)!getrandom(&map->seed, sizeof(map->seed), GRND_NONBLOCK);
	map->size = old ? 2 * old_size : FIRST_SIZE;
	map->entries = arena_array(map->arena, map->size, sizeof(*map->entries));
	for (size_t i = 0; i < old_size; i++) {
		if (old[i].key)
			*place_of(map, old[i].key) = old[i];
	}
}

bool string_map_add(struct string_map *map, const char *key, void *value)
{
	struct string_map_entry *place;

	if (map->n >= map->size / 2)
		grow(map);
	place = place_of(map, key);
	if (place->key)
		return false;
	*place = (struct string_map_entry){ arena_strdup(map->arena, key), value };
	map->n++;
	return true;
}

struct string_map_entry *string_map_find(const struct string_map *map, const char *key)
{
	struct string_map_entry *place;

	if (!map->size)
		return NULL;
	place = place_of(map, key);
	return place->key ? place : NULL;
}
