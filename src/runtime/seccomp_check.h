/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules with conditions on arguments, and their order.
 */
#ifndef TARE_RUNTIME_SECCOMP_CHECK_H
#define TARE_RUNTIME_SECCOMP_CHECK_H

#include "base/arena.h"
#include "runtime/seccomp_arch.h"

#define CHECK_CONDS 6 /* one for each argument of a system call */

/* One comparison, already cut to the width of the architecture. */
struct check_cond {
	uint8_t index;
	enum seccomp_op op; /* never MASKED_EQ: that is EQ with another mask */
	uint64_t mask;      /* all ones but for masked comparison; never 0 */
	uint64_t value;
};

/* One rule about one system call: all conditions hold. */
struct check {
	struct check *next; /* lower precedence */
	uint32_t ret;
	unsigned n;                           /* at least 1 */
	struct check_cond conds[CHECK_CONDS]; /* by rising index, each index once */
};

/* check_new() - a rule without conditions yet, with room for @room of them */
struct check *check_new(struct arena *arena, unsigned room, uint32_t ret);

/*
 * check_cond_make() - bring a condition into the form that is compared
 * @wide: the architecture's arguments are 64 bits; else the upper half of value and mask is dropped, as it is of the
 *        argument
 *
 * Bits of a masked comparison's value that its mask lacks are dropped too: libseccomp does so.
 *
 * Return: false if it always holds and can be left out
 */
bool check_cond_make(const struct config_seccomp_arg *arg, bool wide, struct check_cond *ret_cond);

/*
 * check_insert() - put a rule into a list by precedence
 *
 * The most specific comparison first, as libseccomp orders them: compared word by word (on 64-bit architectures the
 * high and then the low half of each argument that the rule tests), the higher argument; equality (=, !=, masked)
 * before < and <= before >= and >; then larger values first, but smaller ones for < and <=. Rules of which one extends the
 * other, and equal ones, stay in the order of the profile. A rule that is within an earlier one can never match and is
 * dropped.
 */
void check_insert(struct check **list, struct check *new, bool wide);

/* check_list_equal() - the same rules in the same order */
bool check_list_equal(const struct check *a, const struct check *b);

#endif
