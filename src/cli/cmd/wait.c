/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wait`: until containers have ended, and with which status. */
#include "cli/cmd/each.h"
#include "engine/control.h"

#include <stdio.h>

static int wait_for_one(struct cli *cli, const struct roots *roots, const char *id,
			const char *text, const void *arg, struct err *err)
{
	int status, r = control_wait(roots, id, &status, err);

	if (r == 0) {
		printf("%d\n", status);
		fflush(stdout);
	}
	return r;
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	return each_container(cli, "wait", words, wait_for_one, NULL, err);
}

static const struct option options[] = { OPTION_END };

const struct command command_wait = {
	.name = "wait",
	.alias = "container wait",
	.operands = "CONTAINER...",
	.min_operands = 1,
	.max_operands = OPERANDS_ANY,
	.summary = "wait until containers have ended, and show their exit statuses",
	.options = options,
	.run = run,
};
