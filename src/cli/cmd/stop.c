/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `stop`: ask containers to end, and kill those that don't. */
#include "base/num.h"
#include "cli/cmd/each.h"
#include "cli/cmd/signal.h"
#include "engine/control.h"

#include <limits.h>
#include <stdio.h>

struct args {
	const char *signal, *time;
};

struct how {
	int signal;
	int64_t seconds;
};

static int stop_one(struct cli *cli, const struct roots *roots, const char *id, const char *text,
		    const void *arg, struct err *err)
{
	const struct how *how = arg;
	int r = control_stop(roots, id, how->signal, how->seconds, err);

	if (r == 0)
		printf("%s\n", text);
	return r;
}

static int read_time(const char *text, int64_t *ret, struct err *err)
{
	if (!text)
		return 0;
	if (num_parse_i64(text, -1, INT_MAX, ret) < 0)
		return err_user(err, "--time \"%s\" is no number of seconds", text);
	/* -1 is docker's word for any time; ours for the container's own */
	if (*ret < 0)
		*ret = CONTROL_AS_CONTAINER - 1;
	return 0;
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	struct how how = { .signal = CONTROL_AS_CONTAINER, .seconds = CONTROL_AS_CONTAINER };
	int r = signal_option(a->signal, &how.signal, err);

	if (r == 0)
		r = read_time(a->time, &how.seconds, err);
	return r < 0 ? r : each_container(cli, "stop", words, stop_one, &how, err);
}

static const struct option options[] = {
	{ "signal", 's', "SIGNAL", "in place of the container's own, which is TERM mostly",
	  option_set_text, offsetof(struct args, signal) },
	{ "time", 't', "SECONDS", "until it is killed (10); -1: never", option_set_text,
	  offsetof(struct args, time) },
	{ "timeout", 0, "SECONDS", "the same", option_set_text, offsetof(struct args, time) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_stop = {
	.name = "stop",
	.alias = "container stop",
	.operands = "CONTAINER...",
	.min_operands = 1,
	.max_operands = OPERANDS_ANY,
	.summary = "let containers end",
	.options = options,
	.run = run,
};
