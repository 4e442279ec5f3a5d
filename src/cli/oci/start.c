/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/oci/launch.h"

#include "runtime/notify.h"

#include <stdlib.h>

struct args {
	const char *trace;
};

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const char *path = ((const struct args *)args)->trace;
	struct report report = command_report(cli);
	struct trace_options trace;
	int r;

	r = container_id_check(words->words[0], err);
	if (r == 0)
		r = trace_open(path, &trace, err);
	if (r < 0)
		return r;
	r = container_start(cli->root, words->words[0], getenv(NOTIFY_ENV),
			    trace.stream ? &trace : NULL, &report, err);
	trace_end(cli, path, &trace);
	return r;
}

static const struct option options[] = {
	{ "trace", 0, "FILE", "time each step; - is standard error, .json for Perfetto",
	  option_set_text, offsetof(struct args, trace) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_start = {
	.name = "start",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "run the program of a container that was created",
	.options = options,
	.run = run,
};
