/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/oci/command.h"
#include "base/size.h"
#include "runtime/container.h"

#define DEFAULT_INTERVAL "5s"

struct args {
	const char *interval;
	bool stats;
};

static int write_event(void *to, const char *text, size_t len)
{
	return write_stdout(text, len, to) < 0 ? ((struct err *)to)->code : 0;
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	const char *text = a->interval ? a->interval : DEFAULT_INTERVAL;
	const struct event_sink sink = { .write = write_event, .to = err };
	int32_t interval_ms;

	if (duration_parse(text, &interval_ms) < 0) {
		err_user(err, "read option \"--interval\": \"%s\" is no time", text);
		return err_hint(err, "it has units, as 5s, 500ms and 1m30s have");
	}
	if (interval_ms == 0)
		return err_user(err, "read option \"--interval\": it must be above 0");
	return container_events(cli->root, words->words[0], a->stats ? 0 : interval_ms, &sink, err);
}

static const struct option options[] = {
	{ "interval", 0, "TIME", "between two looks (default " DEFAULT_INTERVAL ")",
	  option_set_text, offsetof(struct args, interval) },
	{ "stats", 0, NULL, "show what it uses now, once", option_set_switch,
	  offsetof(struct args, stats) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_events = {
	.name = "events",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "show what a container uses, and when it runs out of memory, as JSON",
	.details = "One event a line, until the container has ended.",
	.options = options,
	.run = run,
};
