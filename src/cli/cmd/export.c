/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `export`: the root filesystem of a container as one tar. */
#include "cli/cmd/command.h"
#include "cli/cmd/output.h"
#include "engine/view.h"
#include "image/compose.h"
#include "image/pack.h"

#include <stdio.h>

struct args {
	const char *output;
};

static int export(struct cli *cli, struct arena *arena, const struct view *view, const char *path,
		  struct err *err)
{
	defer_close int root = view_whole(view, err);
	struct pack_options options = { .is_whole = true };
	struct pack_result packed;
	struct output output;
	struct fd_sink out;
	const char *created;
	int r = root < 0 ? root : compose_created(arena, &created, &options.newest, err);

	if (r == 0)
		r = output_begin(arena, path, &output, err);
	if (r < 0)
		return r;
	fd_sink_init(&out, output.fd);
	r = pack_tree(root, &options, &out.sink, &packed, err);
	if (r == 0)
		r = view_check(view, err);
	r = output_end(&output, r, err);
	if (r == 0 && packed.sockets)
		log_write(&cli->log, LOG_LEVEL_WARNING, "%u sockets were left out", packed.sockets);
	return r;
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	const struct roots roots = roots_of(cli);
	defer_arena struct arena arena = { 0 };
	defer_store struct store store = STORE_INIT;
	char id[CONTAINER_ID_DIGITS + 1];
	struct view view = VIEW_INIT;
	int r = output_check(a->output, err);

	if (r == 0)
		r = open_store(cli, &store, err);
	if (r == 0)
		r = containers_find(&roots, words->words[0], id, err);
	if (r == 0)
		r = view_open(&arena, &roots, &store, id, &view, err);
	if (r == 0)
		r = export(cli, &arena, &view, a->output, err);
	view_clear(&view);
	return r;
}

static const struct option options[] = {
	{ "output", 'o', "PATH", "a file; without it, standard output", option_set_text,
	  offsetof(struct args, output) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_export = {
	.name = "export",
	.alias = "container export",
	.operands = "CONTAINER",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "write the root filesystem of a container as a tar",
	.details = "Without what is mounted in it. tare import makes an image of one layer of it.",
	.options = options,
	.run = run,
};
