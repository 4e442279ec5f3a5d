/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals, and how containers are stopped, as options say it. */
#ifndef TARE_CLI_CMD_SIGNAL_H
#define TARE_CLI_CMD_SIGNAL_H

#include "cli/cmd/command.h"

/*
 * signal_option() - what --signal says
 * @text: NULL: nothing, and *ret stays
 *
 * Return: 0; -EINVAL with what it may be
 */
int signal_option(const char *text, int *ret, struct err *err) MUST_CHECK;

/* The options of stop and restart, and what they mean: as control_stop() takes it */
struct stop_args {
	const char *signal, *time;
};

struct stop_how {
	int signal;
	int64_t seconds;
};

#define STOP_OPTIONS                                                                               \
	{ "signal",        's',                                                                    \
	  "SIGNAL",        "in place of the container's own, which is TERM mostly",                \
	  option_set_text, offsetof(struct stop_args, signal) },                                   \
		{ "time",          't',                                                            \
		  "SECONDS",       "until it is killed (10); -1: never",                           \
		  option_set_text, offsetof(struct stop_args, time) },                             \
	{                                                                                          \
		"timeout", 0, "SECONDS", "the same", option_set_text,                              \
			offsetof(struct stop_args, time)                                           \
	}

/* stop_read() - Return: 0; -EINVAL */
int stop_read(const struct stop_args *args, struct stop_how *ret, struct err *err) MUST_CHECK;

#endif
