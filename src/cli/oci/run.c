/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `run`: create and start in one. In the foreground it stays until the container has ended, returns
 * its status, and removes it.
 */
#include "cli/foreground.h"
#include "cli/oci/launch.h"

static int start(struct cli *cli, const void *args, const char *id, struct container_started *ret,
		 struct err *err)
{
	return launch(cli, args, id, true, ret, err);
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct launch_args *launch_args = args;
	const struct foreground_run how = {
		.start = start,
		.args = args,
		.root = cli->root,
		.detach = launch_args->detach,
		.keep = launch_args->keep,
		.no_subreaper = launch_args->no_subreaper,
	};

	return foreground_run(cli, words->words[0], &how, err);
}

static const struct option options[] = {
	LAUNCH_OPTIONS,
	LAUNCH_TRACE_OPTION,
	LAUNCH_OPTION("detach", 'd', NULL, "return when the program runs", switch, detach),
	LAUNCH_OPTION("keep", 0, NULL, "do not delete the container after its end", switch, keep),
	LAUNCH_OPTION("no-subreaper", 0, NULL, "do not reap the container's orphans", switch,
		      no_subreaper),
	OPTION_END,
};

COMMAND_ARGS(struct launch_args);

const struct command command_run = {
	.name = "run",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "make a container and run its program",
	.details =
		"In the foreground it ends with the program's status, 128+N if signal N ended it.",
	.options = options,
	.enters_container = true,
	.check = launch_check,
	.run = run,
};
