/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `rm`: remove containers that have ended, or by force those that have not. */
#include "cli/cmd/each.h"
#include "engine/remove.h"

#include <stdio.h>

struct args {
	bool force;
};

static int remove_one(struct cli *cli, const struct roots *roots, const char *id, const char *text,
		      const void *arg, struct err *err)
{
	const struct args *a = arg;
	struct report report = command_report(cli);
	int r = container_remove(roots, id, a->force, &report, err);

	if (r == 0)
		printf("%s\n", text);
	return r;
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	return each_container(cli, "rm", words, remove_one, args, err);
}

static const struct option options[] = {
	{ "force", 'f', NULL, "kill it first if it runs", option_set_switch,
	  offsetof(struct args, force) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_rm = {
	.name = "rm",
	.alias = "container rm",
	.operands = "CONTAINER...",
	.min_operands = 1,
	.max_operands = OPERANDS_ANY,
	.summary = "remove containers",
	.options = options,
	.run = run,
};
