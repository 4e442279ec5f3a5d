/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `import`: a tar, a directory or a program of this machine becomes an image. */
#include "cli/cmd/command.h"
#include "image/compose.h"
#include "image/import.h"
#include "image/layer.h"

#include <stdio.h>
#include <string.h>

struct args {
	struct option_values changes;
	const char *message, *platform, *compression;
};

static int read_platform(struct arena *arena, const char *text, struct platform *ret,
			 struct err *err)
{
	struct platform host = image_host_platform(arena);

	*ret = host;
	return text ? platform_parse(arena, text, &host, ret, err) : 0;
}

/* Everything that can be wrong with the command line is looked at before a byte is read. */
static int prepare(struct arena *arena, const struct args *a, struct import *import,
		   struct composition *what, struct image_process *process, struct err *err)
{
	int r = read_compression(a->compression ? a->compression : "gzip", &import->compression,
				 err);

	if (r == 0)
		r = compose_created(arena, &what->created, &import->newest, err);
	if (r == 0)
		r = read_platform(arena, a->platform, &what->platform, err);
	if (r == 0)
		r = apply_changes(arena, process, &a->changes, err);
	import->limit = LAYER_BYTES_MAX;
	return r;
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	defer_arena struct arena arena = { 0 };
	defer_store struct store store = STORE_INIT;
	struct image_process process = { 0 };
	struct composition what = { .process = &process };
	struct imported imported;
	struct descriptor image;
	struct import import;
	const char *name = NULL;
	int r = 0;

	if (words->n > 1)
		r = new_name(&arena, words->words[1], &name, err);
	if (r == 0)
		r = prepare(&arena, a, &import, &what, &process, err);
	if (r == 0)
		r = open_store(cli, &store, err);
	if (r == 0)
		r = import_layer(&store, &arena, words->words[0], &import, &imported, err);
	if (r < 0)
		return r;
	if (imported.program && !process.entrypoint.n)
		process.entrypoint = (struct str_list){ .items = &imported.program, .n = 1 };
	if (imported.sockets)
		log_write(&cli->log, LOG_LEVEL_WARNING, "%u sockets were left out",
			  imported.sockets);
	what.layer = &imported.layer;
	what.comment = a->message;
	what.created_by = "tare import";
	r = compose_image(&store, &arena, &what, &image, err);
	return r < 0 ? r : name_new_image(&store, name, &image, &what.platform, err);
}

static const struct option options[] = {
	{ "change", 'c', "INSTRUCTION",
	  "change the config: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ...",
	  option_set_values, offsetof(struct args, changes) },
	{ "compression", 0, "METHOD", "of the layer: gzip (default), zstd or none", option_set_text,
	  offsetof(struct args, compression) },
	{ "message", 'm', "TEXT", "a comment for the history", option_set_text,
	  offsetof(struct args, message) },
	{ "platform", 0, "PLATFORM", "what it runs on: OS/ARCH[/VARIANT]", option_set_text,
	  offsetof(struct args, platform) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_import = {
	.name = "import",
	.alias = "image import",
	.operands = "SOURCE [NAME]",
	.min_operands = 1,
	.max_operands = 2,
	.summary = "make an image of a tar, a directory or a static program",
	.details =
		"SOURCE is the tar of a root filesystem, compressed or not (- for standard input), a directory, or\n"
		"a program that needs no loader, which becomes the entrypoint.",
	.options = options,
	.records_nothing = true,
	.run = run,
};
