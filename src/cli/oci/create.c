/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/oci/launch.h"

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	struct container_started started;
	int r;

	r = launch(cli, args, words->words[0], false, &started, err);
	if (r < 0)
		return r;
	container_started_clear(&started);
	return 0;
}

static const struct option options[] = { LAUNCH_OPTIONS, LAUNCH_TRACE_OPTION, OPTION_END };

COMMAND_ARGS(struct launch_args);

const struct command command_create = {
	.name = "create",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "make a container that waits for start",
	.options = options,
	.enters_container = true,
	.check = launch_check,
	.run = run,
};
