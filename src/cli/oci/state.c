/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/oci/command.h"
#include "cli/oci/document.h"

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	struct container container;
	struct json_writer w;
	size_t len;
	char *text;
	int r;

	r = container_id_check(words->words[0], err);
	if (r == 0)
		r = container_load(&arena, cli->root, words->words[0], &container, err);
	if (r < 0)
		return r;

	json_writer_init(&w, &arena, 2);
	add_container(&w, &container);
	text = json_writer_text(&w, &len);
	text[len] = '\n'; /* in place of the NUL */
	return write_stdout(text, len + 1, err);
}

static const struct option options[] = { OPTION_END };

const struct command command_state = {
	.name = "state",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "show what a container is doing, as JSON",
	.options = options,
	.run = run,
};
