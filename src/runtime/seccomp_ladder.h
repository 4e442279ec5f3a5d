/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The code that decides among the rules with conditions of one system call. */
#ifndef TARE_RUNTIME_SECCOMP_LADDER_H
#define TARE_RUNTIME_SECCOMP_LADDER_H

#include "runtime/seccomp_check.h"
#include "runtime/seccomp_emit.h"

/*
 * emit_checks() - decide among the rules of one call
 * @arena:       scratch
 * @list:        at least one
 * @default_ret: when none matches
 */
label emit_checks(struct emitter *e, struct arena *arena, enum seccomp_arch arch,
		  const struct check *list, uint32_t default_ret);

#endif
