/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From linux.seccomp to the program that the kernel runs at every system call.
 *
 * Why our own compiler: libseccomp takes tens of milliseconds for an engine's default profile and its program, a list
 * of comparisons, is slow to load. Ours is a binary tree over ranges of numbers for each architecture; how it works and
 * what it measures is in docs/design/005-seccomp-compiler.md. Its meaning is libseccomp's as runc uses it, proved equal
 * by tests/unit/runtime/test_seccomp*.c.
 *
 * Meaning, in the order in which it decides:
 *   1. A call from an architecture that is not listed (nor the native one) is killed. So is one with x32's bit on x86_64
 *      if x32 is not listed, but for the number -1, which tracers use to skip a call.
 *   2. If the default refuses (neither ALLOW, LOG nor TRACE, nor ERRNO with an errnoRet of ENOSYS), numbers above the
 *      largest that the profile mentions for that architecture get ENOSYS, so that a libc's fallback for calls newer
 *      than the profile works. On s390 so does 0, which carries numbers too large for its instruction.
 *   3. A rule without conditions beats those with; among several, the first in the profile.
 *   4. Rules with conditions: the most specific first (struct check's order, seccomp_check.h), else the first.
 *   5. The default.
 *   Rules whose action (with its errno) is the default's are left out before all this, as runc does.
 */
#ifndef TARE_RUNTIME_SECCOMP_H
#define TARE_RUNTIME_SECCOMP_H

#include "base/arena.h"
#include "base/err.h"
#include "spec/config.h"

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

/* A name in the profile that is a system call of no architecture we know. It is skipped, and must be reported. */
struct seccomp_unknown {
	const char *name;    /* the config's */
	const char *pointer; /* "/linux/seccomp/syscalls/3/names/17" */
	const char *nearest; /* a known name that was perhaps meant, or NULL */
};

struct seccomp_program {
	struct sock_filter *insns;
	uint16_t n;
	uint32_t flags; /* SECCOMP_FILTER_FLAG_* for seccomp(2) */
	struct seccomp_unknown *unknown;
	size_t n_unknown;
};

/*
 * seccomp_compile() - make the program
 * @arena:  owns what *ret_program points at, and holds a few kilobytes of scratch
 * @config: borrowed; config->set must be true
 *
 * Pure: asks the kernel nothing, so that it also serves plans for other hosts.
 *
 * Spec:    runtime-spec config-linux.md "Seccomp"
 * Return:  0; -EINVAL and *err with its JSON pointer for what can't be expressed: more than 4,096
 *          instructions
 */
int seccomp_compile(struct arena *arena, const struct config_seccomp *config,
		    struct seccomp_program *ret_program, struct err *err) MUST_CHECK;

#endif
