/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/arena.h"

#include "base/place.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/*
 * A small config or plan fits into the first chunk, a usual one into that and the next. Populated as they are mapped: the
 * pages cost a tenth of what they would one by one.
 */
#define FIRST_CHUNK ((size_t)32 * 1024)
#define NEXT_CHUNK  ((size_t)64 * 1024)
#define ALIGN       16

struct arena_chunk {
	struct arena_chunk *older;
	size_t size; /* of the mapping, header included */
	size_t used; /* header included */
};

#define HEADER ((sizeof(struct arena_chunk) + ALIGN - 1) & ~(size_t)(ALIGN - 1))

static void out_of_memory(void)
{
	static const char text[] = "tare: out of memory\n";

	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(1);
}

/*
 * A program makes one small arena after the other: some chunks are kept for the next, since to unmap one and to map another
 * costs more than to clear what was used of it. That is done when one is taken: most arenas end with the program, and what
 * was shared with a child would be copied just to be cleared. Nothing here is for several threads.
 */
#define SPARES_MAX 12
static struct arena_chunk *spares;
static unsigned n_spares;

/* Return: NULL if none is of that size */
static struct arena_chunk *take_spare(size_t size)
{
	struct arena_chunk **at = &spares, *chunk;

	while (*at && (*at)->size != size)
		at = &(*at)->older;
	chunk = *at;
	if (chunk) {
		*at = chunk->older;
		n_spares--;
	}
	return chunk;
}

static void chunk_empty(struct arena_chunk *chunk)
{
	memset((char *)chunk + HEADER, 0, chunk->used - HEADER);
	chunk->used = HEADER;
}

static struct arena_chunk *chunk_new(struct arena_chunk *older, size_t need)
{
	size_t size = older ? NEXT_CHUNK : FIRST_CHUNK;
	struct arena_chunk *chunk;

	if (need > SIZE_MAX / 2)
		out_of_memory();
	while (size < need + HEADER)
		size *= 2;

	chunk = take_spare(size);
	if (chunk) {
		chunk->older = older;
		chunk_empty(chunk);
		return chunk;
	}
	chunk = mmap(place_beside_image(size), size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (chunk == MAP_FAILED)
		out_of_memory();
	chunk->older = older;
	chunk->size = size;
	chunk->used = HEADER;
	return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = arena->head;
	void *mem;

	if (size > SIZE_MAX / 2)
		out_of_memory();
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!chunk || chunk->size - chunk->used < size)
		chunk = arena->head = chunk_new(arena->head, size);

	mem = (char *)chunk + chunk->used;
	chunk->used += size;
	return mem;
}

void *arena_array(struct arena *arena, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		out_of_memory();
	return arena_alloc(arena, bytes);
}

/* Room for 8, 16, 32...: how much there is follows from @n. */
void *arena_grow(struct arena *arena, void *items, size_t n, size_t size)
{
	const size_t first = 8;
	void *grown;

	if (n && (n < first || (n & (n - 1))))
		return items;
	grown = arena_array(arena, n ? n : first / 2, 2 * size);
	return n ? memcpy(grown, items, n * size) : grown;
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	memcpy(copy, text, len);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		out_of_memory();

	text = arena_alloc(arena, (size_t)len + 1);
	va_start(ap, fmt);
	vsnprintf(text, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return text;
}

static void unmap_from(struct arena_chunk *chunk)
{
	struct arena_chunk *older;

	for (; chunk; chunk = older) {
		older = chunk->older;
		if (chunk->size <= NEXT_CHUNK && n_spares < SPARES_MAX) {
			chunk->older = spares;
			spares = chunk;
			n_spares++;
		} else {
			munmap(chunk, chunk->size);
		}
	}
}

void arena_reset(struct arena *arena)
{
	struct arena_chunk *chunk = arena->head;

	if (!chunk)
		return;
	unmap_from(chunk->older);
	chunk->older = NULL;
	chunk_empty(chunk);
}

void arena_clear(struct arena *arena)
{
	unmap_from(arena->head);
	arena->head = NULL;
}
