/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much of the disk something takes: what du(1) says, a file with several names counted once. */
#ifndef TARE_IMAGE_USAGE_H
#define TARE_IMAGE_USAGE_H

#include "base/err.h"
#include "base/string_map.h"

#include <stdint.h>

/* What was counted already, so that the parts of a whole add up to it. All zero but for the arena is empty. */
struct usage {
	struct string_map inodes; /* of files with several names */
	uint64_t bytes;           /* blocks that are allocated, times 512 */
};

void usage_init(struct usage *usage, struct arena *arena);

/*
 * usage_add() - @name in @dir with everything below it, as far as its filesystem goes
 * @name: "." for the directory itself
 *
 * Return: 0, also if there is nothing of that name; -errno
 */
int usage_add(struct usage *usage, int dir, const char *name) MUST_CHECK;

#endif
