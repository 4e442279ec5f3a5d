/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of the runtime-spec and their numbers: one table each, read by the decoder, by `features`, by `kill` and by
 * whoever has to print one.
 */
#ifndef TARE_SPEC_WORDS_H
#define TARE_SPEC_WORDS_H

#include "base/defer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct word {
	const char *name;
	uint64_t value;
};

struct words {
	const char *what; /* of what kind these are, for messages: "a namespace" */
	const struct word *items;
	size_t n;
};

extern const struct words
	words_capability; /* value: the bit's number, in the order of the kernel */
extern const struct words words_rlimit;
extern const struct words words_namespace; /* value: enum ns_type; in alphabetical order */
extern const struct words words_propagation;
extern const struct words words_personality;
extern const struct words words_sched_policy;
extern const struct words words_sched_flag;
extern const struct words words_io_class;
extern const struct words words_memory_mode;
extern const struct words words_memory_flag;
extern const struct words words_device_type; /* value: the character; u is read as c */
extern const struct words words_rule_type;
extern const struct words words_seccomp_action;
extern const struct words words_seccomp_op;
extern const struct words words_seccomp_flag;
extern const struct words words_seccomp_arch; /* value: enum seccomp_arch */
extern const struct words words_signal;       /* without SIG */

/* words_find() - look a name up. Return: whether it is known; *ret_value only then */
bool words_find(const struct words *words, const char *name, uint64_t *ret_value);

/* words_name() - the first name of a value, NULL if it has none */
const char *words_name(const struct words *words, uint64_t value);

/* words_near() - the nearest name for "did you mean", NULL if none is near */
const char *words_near(const struct words *words, const char *name);

/*
 * signal_parse() - a signal by number ("9"), name ("KILL", "SIGKILL", in any case) or place ("RTMIN+3")
 * Return: 0; -EINVAL
 */
int signal_parse(const char *text, int *ret_signal) MUST_CHECK;

#endif
