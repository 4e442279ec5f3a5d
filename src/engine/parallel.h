/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several pieces of the same work at once, each in a child process. What a child has to say, it says in memory that it shares with us:
 * how far it is, and the error that ended it. Layers are fetched, hashed, inflated and unpacked that way, which keeps one core busy
 * each.
 */
#ifndef TARE_ENGINE_PARALLEL_H
#define TARE_ENGINE_PARALLEL_H

#include "base/err.h"

#include <stdint.h>

enum piece_state { PIECE_WAITS, PIECE_RUNS, PIECE_DONE, PIECE_FAILED };

struct piece {
	volatile uint64_t done, total; /* of whatever is counted: bytes */
	volatile uint32_t phase;       /* which word of the caller's says what is being done */
	uint32_t state;                /* enum piece_state; ours alone */
	int32_t result;                /* of the work, >= 0 */
	struct err err;
};

struct parallel {
	size_t n, at_once;
	/*
	 * work() - piece @i, in a child of its own
	 *
	 * File descriptors are the parent's: what is locked or positioned by one must be opened anew.
	 * Return: >= 0, kept in ->result; -errno
	 */
	int (*work)(void *arg, size_t i, struct piece *piece, struct err *err);
	/* watch() - told of all pieces some times a second and whenever one ends; NULL */
	void (*watch)(void *arg, const struct piece *pieces, size_t n);
	void *arg;
};

/*
 * parallel_run() - do all pieces
 * @ret_results: what each work() has returned, @n of them; may be NULL
 *
 * When one fails the others are killed, and its error is ours. A child does not outlive us.
 * Return: 0; -errno
 */
int parallel_run(const struct parallel *parallel, int *ret_results, struct err *err) MUST_CHECK;

#endif
