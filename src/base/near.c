/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/near.h"

#include "base/ascii.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

/* A part shorter than this is inside too many names to mean anything. */
#define PART_MIN 3

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Edits (insert, delete, replace, swap of neighbours) that make @b of @a, without regard to case. */
static unsigned edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][NEAR_MAX + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2], *swap;

	for (size_t k = 0; k <= b_len; k++)
		above[k] = before[k] = (unsigned)k;

	for (size_t i = 1; i <= a_len; i++) {
		row[0] = (unsigned)i;
		for (size_t k = 1; k <= b_len; k++) {
			char x = ascii_lower(a[i - 1]), y = ascii_lower(b[k - 1]);

			row[k] = min3(above[k] + 1, row[k - 1] + 1, above[k - 1] + (x != y));
			if (i > 1 && k > 1 && x == ascii_lower(b[k - 2]) &&
			    ascii_lower(a[i - 2]) == y)
				row[k] = min3(row[k], before[k - 2] + 1, UINT_MAX);
		}
		swap = before;
		before = above;
		above = row;
		row = swap;
	}
	return above[b_len];
}

/* "SCMP_ACT_" and its like are in all words of a table and say nothing about which one was meant. */
static size_t common_front(const char *a, const char *b)
{
	size_t front = 0;

	for (size_t i = 0; a[i] && a[i] == b[i]; i++) {
		if (a[i] == '_')
			front = i + 1;
	}
	return front;
}

/* Smaller is nearer; UINT_MAX is not near at all. */
static unsigned distance(const char *word, const char *candidate)
{
	size_t front = common_front(word, candidate), w, c, shorter, longer;
	unsigned edits;

	word += front;
	candidate += front;
	w = strlen(word);
	c = strlen(candidate);
	shorter = w < c ? w : c;
	longer = w < c ? c : w;

	if (!shorter || longer > NEAR_MAX)
		return UINT_MAX;

	edits = edit_distance(word, w, candidate, c);
	if (edits <= shorter / 3)
		return edits;
	if (shorter < PART_MIN)
		return UINT_MAX;
	if (ascii_begins(word, candidate, shorter))
		return 100 + (unsigned)(longer - shorter);
	if (ascii_contains(word, candidate) || ascii_contains(candidate, word))
		return 200 + (unsigned)(longer - shorter);
	return UINT_MAX;
}

void near_init(struct near *near, const char *word)
{
	*near = (struct near){ .word = word, .distance = UINT_MAX };
}

void near_offer(struct near *near, const char *candidate)
{
	unsigned d = distance(near->word, candidate);

	if (d < near->distance) {
		near->distance = d;
		near->best = candidate;
	}
}
