/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `unshare`: a program with the ids that the engine has: for a user who is not root those of his user namespace, in which he sees
 * and may change what his containers' files are. For root nothing is different, and that is refused, as of podman.
 */
#include "cli/cmd/command.h"
#include "cli/cmd/status.h"
#include "engine/rootless.h"

#include <string.h>
#include <unistd.h>

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	static char shell[] = "sh";
	char *of_user = getenv("SHELL");
	char *const default_words[] = { of_user ? of_user : shell, NULL };
	char *const *program = words->n ? words->rest - 1 : default_words;

	if (!rootless_is_user()) {
		err_user(err, "this is root already");
		return err_hint(err, "call it as the user whose containers it is about");
	}
	execvp(program[0], program);
	err_sys(err, "execute \"%s\"", program[0]);
	log_error(&cli->log, err);
	return status_of_program(err->code);
}

static const struct option options[] = {
	OPTION_END,
};

const struct command command_unshare = {
	.name = "unshare",
	.operands = "[PROGRAM [ARGUMENT...]]",
	.max_operands = OPERANDS_ANY,
	.summary =
		"run a program in the user namespace that a user's containers have their files in",
	.details =
		"Without PROGRAM it is a shell. The status is the program's; 125 for a failure of ours, 126 if it\n"
		"can't be executed, 127 if it is not there.",
	.options = options,
	.hands_words_on = true,
	.failure_status = STATUS_OURS,
	.usage_status = STATUS_OURS,
	.run = run,
};
