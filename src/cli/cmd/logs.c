/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `logs`: what a container wrote in the background. */
#include "base/num.h"
#include "cli/cmd/command.h"
#include "cli/when.h"
#include "engine/logs.h"

#include <stdio.h>
#include <string.h>

struct args {
	const char *since, *until, *tail;
	bool follow, timestamps;
};

/* Where each stream's entries go, and whether the last one was a whole line */
struct output {
	bool timestamps;
	bool line_open[2];
};

static int write_entry(void *to, const struct log_entry *entry, struct err *err)
{
	struct output *output = to;
	FILE *stream = entry->is_error ? stderr : stdout;
	bool *open = &output->line_open[entry->is_error];

	if (output->timestamps && !*open)
		fprintf(stream, "%s ", entry->time);
	fwrite(entry->text, 1, entry->len, stream);
	*open = entry->len == 0 || entry->text[entry->len - 1] != '\n';
	fflush(stream);
	return ferror(stdout) ? err_sys(err, "write to standard output") : 0;
}

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
	struct output output = { .timestamps = a->timestamps };
	struct logs_request request = {
		.roots = &roots,
		.id = id,
		.follow = a->follow,
		.entry = write_entry,
		.to = &output,
	};
	uint64_t dropped;
	int r = read_tail(a->tail, &request.tail, err);

	if (r == 0)
		r = when_option("--since", a->since, since, &request.since, err);
	if (r == 0)
		r = when_option("--until", a->until, until, &request.until, err);
	if (r == 0)
		r = containers_find(&roots, operands_at(words, 0), id, err);
	if (r == 0)
		r = logs_read(&request, &dropped, err);
	if (r == 0 && dropped)
		fprintf(stderr, "tare: %llu bytes of output could not be logged\n",
			(unsigned long long)dropped);
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
