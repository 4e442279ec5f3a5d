/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that is thrown away as a whole. A config and its spec live in one arena, a plan in another; the first is
 * cleared before the container's process is cloned, so the child has only the plan. Chunks come from mmap, not from
 * the heap, so that unmapping really gives the pages back; a small one is kept, emptied, for the next arena. Allocation
 * cannot fail in a way that callers handle: out of memory ends the program with a message (a runtime without memory for a
 * config of at most a few megabytes can do nothing useful).
 */
#ifndef TARE_BASE_ARENA_H
#define TARE_BASE_ARENA_H

#include "base/defer.h"

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *head; /* the chunk being filled; the older ones hang behind it */
};

/* arena_alloc() - @size bytes, zeroed, aligned to 16; valid until arena_clear() */
void *arena_alloc(struct arena *arena, size_t size);

/* arena_array() - room for @n elements of @size bytes, zeroed; an overflow of n * size ends the program */
void *arena_array(struct arena *arena, size_t n, size_t size);

/*
 * arena_grow() - an array with room for one more element
 * @items: NULL, or what the last call has returned
 * @n:     elements in it; each must have been added after a call of this
 * @size:  of one of them, in bytes
 *
 * It is @items itself, or a copy of twice the size: whoever points into the array must look again.
 */
void *arena_grow(struct arena *arena, void *items, size_t n, size_t size);

char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* arena_clear() - forget everything, and unmap what is more than a small chunk; the arena may be used again */
void arena_clear(struct arena *arena);

/*
 * arena_reset() - forget everything but keep the newest chunk, for a loop that needs about as much in every round
 *
 * What was handed out from it is given back zeroed to the next.
 */
void arena_reset(struct arena *arena);

#define defer_arena __attribute__((cleanup(arena_clear)))

#endif
