/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `start`, `restart`: containers that were made before, in the background, or with what they write shown until their end. */
#include "base/clock.h"
#include "cli/cmd/each.h"
#include "cli/cmd/log_output.h"
#include "cli/cmd/signal.h"
#include "cli/cmd/starting.h"
#include "cli/cmd/status.h"
#include "cli/cmd/supply.h"
#include "engine/control.h"

#include <stdio.h>
#include <string.h>

struct start_args {
	bool attach;
};

static void warn(void *log, const char *text)
{
	log_write(log, LOG_LEVEL_WARNING, "%s", text);
}

struct start_request starting_request(struct cli *cli, const struct roots *roots,
				      const struct report *report, const char *id)
{
	return (struct start_request){
		.roots = roots,
		.id = id,
		.unpack = supply_unpack,
		.warn = warn,
		.to = &cli->log,
		.cgroups = cli->cgroups,
		.self = cli->argv[0],
		.log_path = cli->log_path,
		.log_format = cli->log_format,
		.report = report,
	};
}

int starting_result(struct cli *cli, int result, struct err *err)
{
	if (result == LAUNCH_LACKS_LAYER)
		return cli->program->hand_over(cli, err);
	return result;
}

static int start_one(struct cli *cli, const struct roots *roots, const char *id, struct err *err)
{
	const struct report report = command_report(cli);
	const struct start_request request = starting_request(cli, roots, &report, id);

	return starting_result(cli, start_container(&request, err), err);
}

static int start_and_name(struct cli *cli, const struct roots *roots, const char *id,
			  const char *text, const void *arg, struct err *err)
{
	int r = start_one(cli, roots, id, err);

	if (r == 0)
		printf("%s\n", text);
	return r;
}

/* ---- start -------------------------------------------------------------------------------------------------------- */

/* What it writes from now on, and its status */
static int start_and_show(struct cli *cli, const char *text, struct err *err)
{
	struct roots roots = roots_of(cli);
	char id[CONTAINER_ID_DIGITS + 1], now[TIME_RFC3339_MAX];
	int r = containers_sweep(&roots, err), status;

	if (r == 0)
		r = containers_find(&roots, text, id, err);
	if (r < 0)
		return r;
	time_rfc3339_now(now);
	if (start_one(cli, &roots, id, err) < 0) {
		err_context(err, "start \"%.64s\"", text);
		log_error(&cli->log, err);
		return status_of_failure(err, 1);
	}
	r = log_output_follow(&roots, id, now, err);
	if (r == 0)
		r = control_wait(&roots, id, &status, err);
	return r < 0 ? r : status;
}

static int run_start(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct start_args *a = args;

	if (!a->attach)
		return each_container(cli, "start", words, start_and_name, NULL, err);
	if (words->n > 1)
		return err_user(err, "--attach shows what one container writes, not that of %zu",
				words->n);
	return start_and_show(cli, operands_at(words, 0), err);
}

static const struct option start_options[] = {
	{ "attach", 'a', NULL, "show what it writes until its end, and end with its status",
	  option_set_switch, offsetof(struct start_args, attach) },
	OPTION_END,
};

COMMAND_ARGS(struct start_args);

const struct command command_start_engine = {
	.name = "start",
	.alias = "container start",
	.operands = "CONTAINER...",
	.min_operands = 1,
	.max_operands = OPERANDS_ANY,
	.summary = "start containers that were made before",
	.options = start_options,
	.enters_container = true,
	.run = run_start,
};

/* ---- restart ------------------------------------------------------------------------------------------------------ */

static int restart_one(struct cli *cli, const struct roots *roots, const char *id, const char *text,
		       const void *arg, struct err *err)
{
	const struct stop_how *how = arg;
	int r = control_stop(roots, id, how->signal, how->seconds, err);

	return r < 0 ? r : start_and_name(cli, roots, id, text, NULL, err);
}

static int run_restart(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	struct stop_how how;

	if (stop_read(args, &how, err) < 0)
		return err->code;
	return each_container(cli, "restart", words, restart_one, &how, err);
}

static const struct option restart_options[] = { STOP_OPTIONS, OPTION_END };

const struct command command_restart = {
	.name = "restart",
	.alias = "container restart",
	.operands = "CONTAINER...",
	.min_operands = 1,
	.max_operands = OPERANDS_ANY,
	.summary = "stop containers, if they run, and start them",
	.options = restart_options,
	.enters_container = true,
	.run = run_restart,
};
