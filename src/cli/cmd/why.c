/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `why`: why a container is not running, and the last that it wrote. */
#include "engine/why.h"

#include "base/utf8.h"
#include "cli/cmd/command.h"
#include "engine/control.h"
#include "engine/log_choice.h"
#include "engine/logs.h"

#include <stdio.h>
#include <string.h>

#define LAST_LINES 5
#define LINE_BYTES 512

static int print_line(void *to, const struct log_entry *entry, struct err *err)
{
	char text[LINE_BYTES], shown[LINE_BYTES];
	size_t len = entry->len < sizeof(text) ? entry->len : sizeof(text) - 1;
	bool *first = to;

	while (len && entry->text[len - 1] == '\n')
		len--;
	memcpy(text, entry->text, len);
	text[len] = '\0';
	utf8_printable(text, shown, sizeof(shown));
	if (*first)
		printf("its last lines:\n");
	*first = false;
	printf("  %s\n", shown);
	return 0;
}

static int print_last(const struct roots *roots, const struct container_record *record,
		      struct err *err)
{
	bool first = true;
	const struct logs_request request = { .roots = roots,
					      .id = record->id,
					      .tail = LAST_LINES,
					      .entry = print_line,
					      .to = &first };
	uint64_t dropped;

	if (!record->log.driver || strcmp(record->log.driver, LOG_DRIVER_NONE) == 0)
		return 0;
	return logs_read(&request, &dropped, err);
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	struct roots roots = roots_of(cli);
	char id[CONTAINER_ID_DIGITS + 1];
	struct container_record record;
	int r = containers_sweep(&roots, err);

	if (r == 0)
		r = containers_find(&roots, operands_at(words, 0), id, err);
	if (r == 0)
		r = containers_load(&arena, &roots, id, &record, err);
	if (r < 0)
		return r;
	if (control_runs(&roots, id, NULL)) {
		printf("it runs\n");
		return 0;
	}
	printf("%s\n", why_text(&arena, &roots, &record));
	return print_last(&roots, &record, err);
}

static const struct option options[] = { OPTION_END };

const struct command command_why = {
	.name = "why",
	.operands = "CONTAINER",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "say why a container is not running",
	.options = options,
	.run = run,
};
