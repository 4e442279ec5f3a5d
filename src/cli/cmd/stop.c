/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `stop`: ask containers to end, and kill those that don't. */
#include "cli/cmd/each.h"
#include "cli/cmd/signal.h"
#include "engine/control.h"

#include <stdio.h>

static int stop_one(struct cli *cli, const struct roots *roots, const char *id, const char *text,
		    const void *arg, struct err *err)
{
	const struct stop_how *how = arg;
	int r = control_stop(roots, id, how->signal, how->seconds, err);

	if (r == 0)
		printf("%s\n", text);
	return r;
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	struct stop_how how;

	if (stop_read(args, &how, err) < 0)
		return err->code;
	return each_container(cli, "stop", words, stop_one, &how, err);
}

static const struct option options[] = { STOP_OPTIONS, OPTION_END };

COMMAND_ARGS(struct stop_args);

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
