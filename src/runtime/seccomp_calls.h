/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a profile says of each system call of one architecture.
 *
 * Kept small, because it is touched for the first time in the life of a short process: a fault of a page costs as much
 * as looking up a hundred names.
 */
#ifndef TARE_RUNTIME_SECCOMP_CALLS_H
#define TARE_RUNTIME_SECCOMP_CALLS_H

#include "runtime/seccomp_check.h"
#include "runtime/seccomp_emit.h"

struct call {
	uint32_t ret;  /* if decided */
	uint16_t list; /* rules with conditions: index into call_table.lists; 0: none */
	bool decided;  /* by a rule without conditions: nothing else counts */
};

struct call_table {
	struct arena *arena;
	bool too_large; /* a call has more rules than a program can have instructions */
	struct call calls[SYSCALL_SLOTS];
	uint16_t n_lists; /* in use, the unused entry 0 included */
	struct {
		struct check *first;
		unsigned n;
	} lists[SYSCALL_SLOTS + 1];
};

/* calls_init() - @arena: borrowed, gets the rules. calls_clear() - forget all calls, for the next architecture */
void calls_init(struct call_table *table, struct arena *arena);
void calls_clear(struct call_table *table);

/* calls_decide() - without conditions; does nothing if the call is decided */
void calls_decide(struct call_table *table, unsigned slot, uint32_t ret);

/*
 * calls_add() - one rule about one call
 * @mux: the number of the call that @slot, which is socketcall or ipc, has in its argument 0; 0: it is no such call. A
 *       condition of the rule on argument 0 gives way to it. The others stay, as in libseccomp, though what they mean
 *       is elsewhere in memory.
 *
 * A rule that tests one argument twice means "or": every condition is a rule of its own, in all runtimes.
 */
void calls_add(struct call_table *table, enum seccomp_arch arch, unsigned slot, unsigned mux,
	       const struct config_seccomp_arg_list *args, uint32_t ret);

#endif
