/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two directories of the engine.
 *
 *     ROOT     outlives the machine's next start: the image store (image/store.h) and containers/ID/
 *     RUNROOT  does not: the runtime's records, sockets, locks
 */
#ifndef TARE_ENGINE_ROOTS_H
#define TARE_ENGINE_ROOTS_H

#include "image/store.h"

struct roots {
	const char *root, *runroot; /* absolute; made when they are needed */
};

/* roots_open_store() - the image store below ROOT, made with ROOT if it is missing. @ret: cleared by the caller */
int roots_open_store(const struct roots *roots, struct store *ret, struct err *err) MUST_CHECK;

#endif
