/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/oci/command.h"
#include "runtime/container.h"
#include "spec/words.h"

struct args {
	bool all, regex;
};

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const char *text = words->n > 1 ? words->words[1] : "TERM";
	int number;

	if (((const struct args *)args)->regex)
		return command_refuse_regex("kill", err);
	if (container_id_check(words->words[0], err) < 0)
		return err->code;
	if (signal_parse(text, &number) < 0) {
		err_user(err, "unknown signal \"%s\"", text);
		return err_hint(err,
				"a number from 1 to 64, or a name like KILL, SIGKILL or RTMIN+1");
	}
	return container_kill(cli->root, words->words[0], number, ((const struct args *)args)->all,
			      err);
}

static const struct option options[] = {
	{ "all", 'a', NULL, "send it to every process of the container", option_set_switch,
	  offsetof(struct args, all) },
	{ "regex", 'r', NULL, "not supported", option_set_switch, offsetof(struct args, regex) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_kill = {
	.name = "kill",
	.operands = "ID [SIGNAL]",
	.min_operands = 1,
	.max_operands = 2,
	.summary = "send a signal to a container (default TERM)",
	.options = options,
	.run = run,
};
