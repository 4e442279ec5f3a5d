/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every fuzz target has: its entry, and what it stops at when a promise of a header is not kept. */
#ifndef TARE_TESTS_PROMISE_H
#define TARE_TESTS_PROMISE_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PROMISE(what)                                                                              \
	do {                                                                                       \
		if (!(what))                                                                       \
			__builtin_trap();                                                          \
	} while (0)

#endif
