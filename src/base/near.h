/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "Did you mean": which of the names that we know is nearest to one that we don't.
 *
 * Near is, from nearest to farthest: the same but for case; a few letters wrong (swapped, missing, added, replaced), at
 * most one in three; one is the beginning of the other ("seccompProfile" and "seccomp"); one is inside the other.
 * Candidates are offered one by one, so that any table can be searched.
 */
#ifndef TARE_BASE_NEAR_H
#define TARE_BASE_NEAR_H

/* Longer names are not compared; none of ours comes near. */
#define NEAR_MAX 64

struct near {
	const char *word;
	const char *best; /* the nearest so far, borrowed; NULL while there is none */
	unsigned distance;
};

void near_init(struct near *near, const char *word);
void near_offer(struct near *near, const char *candidate);

#endif
