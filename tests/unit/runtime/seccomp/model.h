/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a profile means, said as directly as possible: no trees, no ranges, no code. Shares with the compiler only the
 * table of numbers. This is the reading of runtime/seccomp.h's list, and of runc's ENOSYS stub.
 */
#ifndef TARE_TESTS_SECCOMP_MODEL_H
#define TARE_TESTS_SECCOMP_MODEL_H

#include "base/arena.h"
#include "runtime/seccomp_syscalls.h"
#include "spec/config.h"

#include <linux/seccomp.h>

struct model_candidate;

struct model {
	const struct config_seccomp *config;
	const struct syscall_row ***rows; /* [rule][name]; NULL: nobody's */
	int64_t largest[SECCOMP_ARCHES];  /* number that the profile mentions; -1: none */

	/* The call that was asked about last. */
	bool has_call;
	uint32_t token, nr;
	enum seccomp_arch arch; /* whose rules apply; SECCOMP_ARCHES: nobody's that is listed */
	bool stub;              /* the ENOSYS stub decides, before any rule */
	struct model_candidate *candidates;
	size_t n;
};

void model_init(struct model *model, struct arena *arena, const struct config_seccomp *config);

/* model_verdict() - what the filter must return for @data, whose args are those of a 64-bit register each */
uint32_t model_verdict(struct model *model, const struct seccomp_data *data);

/*
 * model_allows() - whether @verdict is one that the profile could mean at all, whatever the precedence: some rule that
 * matches the call has it, or no rule matches and it is the default
 */
bool model_allows(struct model *model, const struct seccomp_data *data, uint32_t verdict);

/* model_stub() - whether the ENOSYS stub decides this call */
bool model_stub(struct model *model, const struct seccomp_data *data);

#endif
