/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `rm`: remove containers that have ended, or by force those that have not. */
#include "cli/cmd/command.h"
#include "engine/containers.h"
#include "engine/remove.h"

#include <stdio.h>

struct args {
	bool force;
};

static int remove_one(struct cli *cli, const struct roots *roots, const char *text, bool force,
		      struct err *err)
{
	struct report report = command_report(cli);
	char id[CONTAINER_ID_DIGITS + 1];
	int r = containers_find(roots, text, id, err);

	if (r == 0)
		r = container_remove(roots, id, force, &report, err);
	if (r < 0)
		return r;
	printf("%s\n", text);
	return 0;
}

/* One that can't be removed keeps none of the others. */
static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	struct roots roots = roots_of(cli);
	int r = containers_sweep(&roots, err);
	bool failed = false;

	if (r < 0)
		return r;
	for (size_t i = 0; i < words->n; i++) {
		struct err one = ERR_INIT;

		if (remove_one(cli, &roots, operands_at(words, i), a->force, &one) == 0)
			continue;
		err_context(&one, "rm \"%.64s\"", operands_at(words, i));
		log_error(&cli->log, &one);
		failed = true;
	}
	return failed ? 1 : 0;
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
