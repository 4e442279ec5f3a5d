/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decision by number: which range of system call numbers is this one in.
 */
#ifndef TARE_RUNTIME_SECCOMP_TREE_H
#define TARE_RUNTIME_SECCOMP_TREE_H

#include "runtime/seccomp_check.h"

/* Consecutive numbers that are decided alike. */
struct range {
	uint32_t first, last;
	uint32_t ret; /* without checks: the verdict; with: the verdict when none of them matches */
	const struct check *checks; /* NULL: none */
	enum seccomp_arch arch;     /* of the checks' arguments */
};

/* Each slot of two architectures (x86_64 and x32 share a token) at worst by itself, with a gap behind it. */
#define RANGES_MAX (4 * SYSCALL_SLOTS + 8)

/* All numbers in order, without a gap; neighbours differ. */
struct range_list {
	struct range items[RANGES_MAX];
	size_t n;
};

/* range_add() - the next numbers, from the end of the list up to @last; joins the last range if decided alike */
void range_add(struct range_list *list, uint32_t last, uint32_t ret, const struct check *checks,
	       enum seccomp_arch arch);

/*
 * emit_tree() - decide by the number, which must be in the accumulator
 * @arena: scratch
 */
label emit_tree(struct emitter *e, struct arena *arena, const struct range_list *list);

#endif
