/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/oci/command.h"
#include "runtime/container.h"

struct args {
	bool force, regex;
};

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	struct report report = command_report(cli);

	if (((const struct args *)args)->regex)
		return command_refuse_regex("delete", err);
	if (container_id_check(words->words[0], err) < 0)
		return err->code;
	return container_delete(cli->root, words->words[0], ((const struct args *)args)->force,
				&report, err);
}

static const struct option options[] = {
	{ "force", 'f', NULL, "kill it first; an unknown ID is no error", option_set_switch,
	  offsetof(struct args, force) },
	{ "regex", 'r', NULL, "not supported", option_set_switch, offsetof(struct args, regex) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_delete = {
	.name = "delete",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "remove a container that has stopped",
	.options = options,
	.run = run,
};
