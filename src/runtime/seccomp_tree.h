/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decision by number: which range of system call numbers is this one in.
 */
#ifndef TARE_RUNTIME_SECCOMP_TREE_H
#define TARE_RUNTIME_SECCOMP_TREE_H

#include "runtime/seccomp_ladder.h"

/* Consecutive numbers that are decided alike. */
struct range {
	uint32_t first, last;
	uint32_t ret; /* without checks: the verdict; with: the verdict when none of them matches */
	enum seccomp_arch arch;     /* of the checks' arguments */
	const struct check *checks; /* NULL: none */
};

/* Each slot of two architectures (x86_64 and x32 share a token) at worst by itself, with a gap behind it. */
#define RANGES_MAX (4 * SYSCALL_SLOTS + 8)

#define LEAVES_MAX 32

/* All numbers in order, without a gap; neighbours differ. */
struct range_list {
	struct range items[RANGES_MAX];
	size_t n;
};

/* range_add() - the next numbers, from the end of the list up to @last; joins the last range if decided alike */
void range_add(struct range_list *list, uint32_t last, uint32_t ret, const struct check *checks,
	       enum seccomp_arch arch);

/*
 * Code for rules with conditions that is there already: a rule about many calls, or of two architectures with equal
 * arguments, is written once. The last few are remembered.
 */
struct leaves {
	struct arena *arena; /* scratch */
	struct leaf {
		struct range range; /* its verdict; the numbers don't matter */
		label at;
	} items[LEAVES_MAX];
	size_t n; /* ever written; the place of the next one is n % LEAVES_MAX */
};

/*
 * emit_tree() - decide by the number, which must be in the accumulator
 * @leaves: zeroed but for the arena before the program's first tree
 */
label emit_tree(struct emitter *e, struct leaves *leaves, const struct range_list *list);

#endif
