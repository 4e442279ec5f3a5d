/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/oci/command.h"
#include "runtime/container.h"

static int pause_one(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	return container_pause(cli->root, words->words[0], err);
}

static int resume_one(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	return container_resume(cli->root, words->words[0], err);
}

static const struct option options[] = { OPTION_END };

const struct command command_pause = {
	.name = "pause",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "stop all processes of a container for a while",
	.options = options,
	.run = pause_one,
};

const struct command command_resume = {
	.name = "resume",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "let the processes of a paused container go on",
	.options = options,
	.run = resume_one,
};
