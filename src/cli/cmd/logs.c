/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `logs`: what a container wrote in the background. */
#include "base/num.h"
#include "cli/cmd/command.h"
#include "cli/cmd/log_output.h"
#include "cli/when.h"

#include <string.h>

struct args {
	const char *since, *until, *tail;
	bool follow, timestamps;
};

static int read_tail(const char *text, int64_t *ret, struct err *err)
{
	*ret = -1;
	if (!text || strcmp(text, "all") == 0 || strcmp(text, "-1") == 0)
		return 0;
	if (num_parse_i64(text, 0, INT64_MAX, ret) < 0)
		return err_user(err, "--tail \"%s\" is neither a number nor all", text);
	return 0;
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	struct roots roots = roots_of(cli);
	char id[CONTAINER_ID_DIGITS + 1], since[WHEN_MAX], until[WHEN_MAX];
	struct logs_request request = {
		.roots = &roots,
		.id = id,
		.follow = a->follow,
	};
	int r = read_tail(a->tail, &request.tail, err);

	if (r == 0)
		r = when_option("--since", a->since, since, &request.since, err);
	if (r == 0)
		r = when_option("--until", a->until, until, &request.until, err);
	if (r == 0)
		r = containers_find(&roots, operands_at(words, 0), id, err);
	if (r == 0)
		r = log_output_read(&request, a->timestamps, err);
	return r;
}

static const struct option options[] = {
	{ "follow", 'f', NULL, "go on until the container ends", option_set_switch,
	  offsetof(struct args, follow) },
	{ "since", 0, "TIME", "from then on: 10m (ago), 2026-01-31T08:05:09, seconds since 1970",
	  option_set_text, offsetof(struct args, since) },
	{ "tail", 'n', "N", "the last N lines, or all", option_set_text,
	  offsetof(struct args, tail) },
	{ "timestamps", 't', NULL, "when each line was written", option_set_switch,
	  offsetof(struct args, timestamps) },
	{ "until", 0, "TIME", "what was written before", option_set_text,
	  offsetof(struct args, until) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_logs = {
	.name = "logs",
	.alias = "container logs",
	.operands = "CONTAINER",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "show what a container wrote in the background",
	.options = options,
	.run = run,
};
