/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `run`: create and start in one. In the foreground it stays until the container has ended, returns
 * its status, and removes it.
 */
#include "cli/oci/foreground.h"
#include "cli/oci/launch.h"

#include <sys/prctl.h>

/*
 * The container goes away with us, whatever the end was; an error of the watch itself is the one
 * reported.
 */
static void remove_container(struct cli *cli, const char *id, struct container_started *started,
			     bool ended)
{
	struct report report = command_report(cli);
	struct err err = ERR_INIT;
	int r;

	/* Without our watch nobody would notice its end: force. */
	if (ended)
		r = container_end(cli->root, id, started, &report, &err);
	else
		r = container_delete(cli->root, id, true, &report, &err);
	if (r == 0)
		return;
	err_context(&err, "delete \"%s\" after its end", id);
	log_error(&cli->log, &err);
}

static int run_foreground(struct cli *cli, const struct launch_args *args, const char *id,
			  struct err *err)
{
	struct container_started started;
	defer_close int signals = -EBADF;
	int status;

	/*
	 * A subreaper gets the container's orphans, which would else go to some parent that does
	 * not expect them. Must be set before the first child.
	 */
	if (!args->no_subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return err_sys(err, "become a subreaper");
	signals = foreground_signals(err);
	if (signals < 0)
		return signals;
	if (launch(cli, args, id, true, &started, err) < 0)
		return err->code;

	status = foreground_watch(signals, &started, command_report(cli), err);
	log_write(&cli->log, LOG_LEVEL_DEBUG, "\"%s\" ended with status %d", id, status);
	if (status < 0 || !args->keep)
		remove_container(cli, id, &started, status >= 0);
	container_started_clear(&started);
	return status;
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct launch_args *launch_args = args;
	struct container_started started;
	int r;

	if (!launch_args->detach)
		return run_foreground(cli, launch_args, words->words[0], err);

	r = launch(cli, launch_args, words->words[0], true, &started, err);
	if (r < 0)
		return r;
	container_started_clear(&started);
	return 0;
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
