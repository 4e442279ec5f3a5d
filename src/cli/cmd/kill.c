/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `kill`: send a signal to the first process of containers. */
#include "cli/cmd/each.h"
#include "cli/cmd/signal.h"
#include "engine/control.h"

#include <signal.h>
#include <stdio.h>

struct args {
	const char *signal;
};

static int kill_one(struct cli *cli, const struct roots *roots, const char *id, const char *text,
		    const void *arg, struct err *err)
{
	int r = control_kill(roots, id, *(const int *)arg, err);

	if (r == 0)
		printf("%s\n", text);
	return r;
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	int signal = SIGKILL;

	if (signal_option(a->signal, &signal, err) < 0)
		return err->code;
	return each_container(cli, "kill", words, kill_one, &signal, err);
}

static const struct option options[] = {
	{ "signal", 's', "SIGNAL", "which one, by number or name (default KILL)", option_set_text,
	  offsetof(struct args, signal) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_kill = {
	.name = "kill",
	.alias = "container kill",
	.operands = "CONTAINER...",
	.min_operands = 1,
	.max_operands = OPERANDS_ANY,
	.summary = "send a signal to containers",
	.options = options,
	.run = run,
};
