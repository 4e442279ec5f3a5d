/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cmd/each.h"

void report_unreadable(void *log, const char *id, const struct err *err)
{
	log_write(log, LOG_LEVEL_WARNING, "leave out %.12s: %s", id, err->text);
}

int each_container(struct cli *cli, const char *command, const struct operands *words, each_fn *fn,
		   const void *arg, struct err *err)
{
	struct roots roots = roots_of(cli);
	int r = containers_sweep(&roots, err);
	bool failed = false;

	if (r < 0)
		return r;
	for (size_t i = 0; i < words->n; i++) {
		const char *text = operands_at(words, i);
		char id[CONTAINER_ID_DIGITS + 1];
		struct err one = ERR_INIT;

		r = containers_find(&roots, text, id, &one);
		if (r == 0)
			r = fn(cli, &roots, id, text, arg, &one);
		if (r == 0)
			continue;
		err_context(&one, "%s \"%.64s\"", command, text);
		log_error(&cli->log, &one);
		failed = true;
	}
	return failed ? 1 : 0;
}
