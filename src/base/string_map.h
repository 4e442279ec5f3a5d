/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names that are met again: a hash table from texts to pointers, in an arena. Nothing is ever taken out of it. The hash is
 * seeded anew in each process, so that nobody can choose names that all fall into one place.
 */
#ifndef TARE_BASE_STRING_MAP_H
#define TARE_BASE_STRING_MAP_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct string_map_entry {
	const char *key; /* NULL: a free place */
	void *value;
};

/* All zero but for the arena is an empty one. */
struct string_map {
	struct arena *arena; /* borrowed */
	struct string_map_entry *entries;
	size_t n, size; /* size: of entries, a power of two, or 0 */
	uint64_t seed;
};

/*
 * string_map_add() - let @key mean @value, unless it means something already
 * @key: is copied
 *
 * Return: is it new
 */
bool string_map_add(struct string_map *map, const char *key, void *value);

/* string_map_find() - the entry of @key, whose value may be changed; NULL if there is none */
struct string_map_entry *string_map_find(const struct string_map *map, const char *key);

#endif
