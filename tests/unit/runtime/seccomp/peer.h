/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reference: libseccomp, used as runc uses it. */
#ifndef TARE_TESTS_SECCOMP_PEER_H
#define TARE_TESTS_SECCOMP_PEER_H

#include "base/arena.h"
#include "spec/config.h"

#include <linux/filter.h>

/*
 * peer_compile() - libseccomp's program for the profile
 *
 * Names that it doesn't know are skipped, rules with the default's action too, and a rule that tests an argument twice
 * is added condition by condition.
 *
 * Return: 0; -EEXIST when it refuses contradictory rules; -ETIME when it doesn't come to an end; otherwise what it said
 */
int peer_compile(struct arena *arena, const struct config_seccomp *config,
		 struct sock_filter **ret_insns, size_t *ret_n);

/*
 * peer_is_confused() - whether a program can't mean what its author meant
 *
 * libseccomp 2.5.4 sometimes jumps past a load: a comparison is then reached with different words of seccomp_data in the
 * accumulator, or compares the architecture with a number of a system call. It happens with several range comparisons of
 * one argument, and with a single rule on a second architecture. No compiler means that, so such a program is no
 * reference; ours is then held against the model alone.
 */
bool peer_is_confused(const struct sock_filter *insns, size_t n);

/* peer_token() - libseccomp's name for an architecture; 0: it has none, or it can't be mixed with the native one */
uint32_t peer_token(enum seccomp_arch arch);

#endif
