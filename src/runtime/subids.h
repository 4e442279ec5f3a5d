/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The subordinate ids of a user, from /etc/subuid and /etc/subgid: which ids newuidmap and newgidmap will map for it.
 * Lines are "NAME:START:COUNT", where NAME may also be the uid. Files of the host, read with bounds all the same.
 *
 * Spec: subuid(5), subgid(5)
 */
#ifndef TARE_RUNTIME_SUBIDS_H
#define TARE_RUNTIME_SUBIDS_H

#include "base/arena.h"
#include "base/defer.h"

#include <stddef.h>
#include <stdint.h>

struct subid {
	uint32_t start, count; /* count > 0, and start + count - 1 fits */
};

struct subid_list {
	struct subid *items; /* in the file's order */
	size_t n;
};

/* The kernel takes at most 340 lines in a map; nobody gets more ranges than that. */
#define SUBIDS_MAX 340

/*
 * subids_read() - the ranges of one user
 * @path: of the file; one that is not there gives nobody anything
 * @name: the user's name, or NULL if it has none
 *
 * Lines that are not understood are skipped, as newuidmap skips them.
 *
 * Return: 0; -errno when the file can't be read
 */
int subids_read(struct arena *arena, const char *path, const char *name, uint32_t uid,
		struct subid_list *ret) MUST_CHECK;

#endif
