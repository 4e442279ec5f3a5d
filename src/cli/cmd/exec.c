/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `exec`: one more program in a container that runs; in the foreground, with its exit status, or detached. */
#include "engine/exec.h"

#include "cli/cmd/command.h"
#include "cli/cmd/status.h"
#include "cli/foreground.h"

#include <fcntl.h>
#include <unistd.h>

struct args {
	const char *user, *cwd;
	struct option_values env;
	bool detach, interactive, terminal, privileged;
};

static int watch(struct cli *cli, const struct exec_request *request, struct err *err)
{
	struct container_started started;
	defer_close int signals = foreground_signals(err);
	int status;

	if (signals < 0)
		return signals;
	if (exec_start(request, &started, err) < 0)
		return err->code;
	status = foreground_watch(signals, &started, command_report(cli), err);
	container_started_clear(&started);
	return status;
}

/* What it writes goes nowhere, as of docker: the container's log is its monitor's. */
static int leave(const struct exec_request *request, struct err *err)
{
	struct container_started started;
	defer_close int null = open("/dev/null", O_RDWR | O_CLOEXEC), saved = -EBADF;
	int r;

	saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (null < 0 || saved < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		return err_sys(err, "let its output go nowhere");
	r = exec_start(request, &started, err);
	(void)dup2(saved, STDERR_FILENO);
	if (r == 0)
		container_started_clear(&started);
	return r;
}

static int fail(struct cli *cli, const char *name, struct err *err)
{
	err_context(err, "exec \"%.64s\"", name);
	log_error(&cli->log, err);
	return status_of_failure(err, 1);
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	struct report report = command_report(cli);
	struct roots roots = roots_of(cli);
	char id[CONTAINER_ID_DIGITS + 1];
	struct exec_request request = {
		.roots = &roots,
		.id = id,
		.args = { .items = (const char **)(uintptr_t)words->rest },
		.env = { .items = a->env.items, .n = a->env.n },
		.user = a->user,
		.cwd = a->cwd,
		.terminal = a->terminal && !a->detach,
		.privileged = a->privileged,
		.report = &report,
	};
	int r;

	while (words->rest[request.args.n])
		request.args.n++;
	if (request.args.n == 0)
		return err_user(err, "which program?");
	r = containers_find(&roots, words->words[0], id, err);
	if (r == 0)
		r = settle_stdin((a->interactive || a->terminal) && !a->detach, err);
	if (r < 0)
		return r;
	r = a->detach ? leave(&request, err) : watch(cli, &request, err);
	return r < 0 ? fail(cli, words->words[0], err) : r;
}

#define EXEC_OPTION(word, letter, arg, help, type, member)                                         \
	{                                                                                          \
		word, letter, arg, help, option_set_##type, offsetof(struct args, member)          \
	}

static const struct option options[] = {
	EXEC_OPTION("detach", 'd', NULL, "return when it runs; what it writes goes nowhere", switch,
		    detach),
	EXEC_OPTION("env", 'e', "NAME[=VALUE]", "a variable; without a value: as it is here",
		    values, env),
	EXEC_OPTION("interactive", 'i', NULL, "keep standard input open", switch, interactive),
	EXEC_OPTION("privileged", 0, NULL, "all capabilities, no AppArmor profile", switch,
		    privileged),
	EXEC_OPTION("tty", 't', NULL, "a terminal of its own", switch, terminal),
	EXEC_OPTION("user", 'u', "USER[:GROUP]", "in place of the container's", text, user),
	EXEC_OPTION("workdir", 'w', "DIR", "where it starts, in place of the container's", text,
		    cwd),
	OPTION_END,
};

COMMAND_ARGS(struct args);

/* command_exec() is the word of explain for the step "execute". */
const struct command command_exec_engine = {
	.name = "exec",
	.alias = "container exec",
	.operands = "CONTAINER PROGRAM [ARGUMENT...]",
	.min_operands = 1,
	.max_operands = OPERANDS_ANY,
	.summary = "run one more program in a container",
	.details =
		"It ends with the program's status, 128+N if signal N ended it; 126 if the program can't\n"
		"be executed, 127 if it is not there, 1 for everything else.",
	.options = options,
	.enters_container = true,
	.hands_words_on = true,
	.run = run,
};
