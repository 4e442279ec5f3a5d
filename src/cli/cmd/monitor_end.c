/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `monitor-end` and `monitor-start`: what a container's monitor becomes when the container has ended, and when it is time to start it
 * again. No commands for people.
 */
#include "base/num.h"
#include "cli/cmd/starting.h"

#include <limits.h>

typedef int after_fn(const struct start_request *request, int lock, struct err *err);

static int run_after(struct cli *cli, const struct operands *words, after_fn *after,
		     struct err *err)
{
	const struct report report = command_report(cli);
	const struct roots roots = roots_of(cli);
	const struct start_request request =
		starting_request(cli, &roots, &report, operands_at(words, 0));
	uint64_t lock;

	if (num_parse_u64(operands_at(words, 1), 3, INT_MAX, &lock) < 0)
		return err_user(err, "\"%s\" is no file", operands_at(words, 1));
	return after(&request, (int)lock, err);
}

static int run_end(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	return run_after(cli, words, start_after_end, err);
}

static int run_start(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	return starting_result(cli, run_after(cli, words, start_after_delay, err), err);
}

static const struct option options[] = { OPTION_END };

const struct command command_monitor_end = {
	.name = MONITOR_END,
	.operands = "ID FD",
	.min_operands = 2,
	.max_operands = 2,
	.summary = "clean up after a container that its monitor has seen end",
	.options = options,
	.hidden = true,
	.run = run_end,
};

const struct command command_monitor_start = {
	.name = MONITOR_START,
	.operands = "ID FD",
	.min_operands = 2,
	.max_operands = 2,
	.summary = "start a container again",
	.options = options,
	.enters_container = true,
	.hidden = true,
	.run = run_start,
};
