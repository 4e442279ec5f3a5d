/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `commit`: an image of a container: its own with what it has written as one layer more, and how it was to be run. */
#include "base/json_write.h"
#include "cli/cmd/command.h"
#include "cli/cmd/registry.h"
#include "engine/commit.h"
#include "image/compose.h"
#include "image/lease.h"

#include <stdio.h>

struct args {
	struct option_values changes;
	const char *author, *message, *compression;
	struct maybe pause;
};

struct committing {
	const struct args *args;
	struct arena arena;
	struct store store;
	struct view view;
	struct commit commit;
	struct image_process process;
	struct composition what;
};

/* The container's record has what was asked for at its start; one that was written by an older tare has not. */
static int read_process(struct committing *c, struct err *err)
{
	struct json_writer w;
	size_t len;
	char *text;

	c->process = c->view.image.config.process;
	if (!c->view.record.config)
		return 0;
	json_writer_init(&w, &c->arena, 0);
	json_add_value(&w, NULL, c->view.record.config);
	text = json_writer_text(&w, &len);
	return image_process_read(&c->arena, CONTAINER_RECORD, text, len, &c->process, err);
}

/* Everything that can be wrong with the command line is looked at before the container is. */
static int prepare(struct committing *c, const struct roots *roots, const char *container,
		   struct err *err)
{
	const struct args *a = c->args;
	struct image_process nothing = { 0 };
	char id[CONTAINER_ID_DIGITS + 1];
	int r = read_compression(a->compression ? a->compression : "gzip", &c->commit.compression,
				 err);

	c->commit.pause = !a->pause.given || a->pause.value;
	c->commit.view = &c->view;
	if (r == 0)
		r = compose_created(&c->arena, &c->what.created, &c->commit.newest, err);
	if (r == 0)
		r = apply_changes(&c->arena, &nothing, &a->changes, err);
	if (r == 0)
		r = containers_find(roots, container, id, err);
	if (r == 0)
		r = view_open(&c->arena, roots, &c->store, id, &c->view, err);
	if (r == 0 && c->view.has_image)
		r = lease_blob(&c->store, c->view.image.digest, err);
	if (r == 0)
		r = read_process(c, err);
	return r < 0 ? r : apply_changes(&c->arena, &c->process, &a->changes, err);
}

static int commit(struct cli *cli, struct committing *c, const char *name, struct err *err)
{
	struct pack_result packed;
	struct descriptor image;
	struct made_layer layer;
	int r = commit_layer(&c->store, &c->arena, &c->commit, &layer, &packed, err);

	if (r < 0)
		return r;
	if (packed.sockets)
		log_write(&cli->log, LOG_LEVEL_WARNING, "%u sockets were left out", packed.sockets);
	c->what.base = &c->view.image;
	c->what.layer = r == 0 ? &layer : NULL;
	c->what.process = &c->process;
	c->what.author = c->args->author;
	c->what.comment = c->args->message;
	c->what.created_by = c->view.record.command;
	r = compose_image(&c->store, &c->arena, &c->what, &image, err);
	return r < 0 ? r
		     : name_new_image(&c->store, name, &image, &c->view.image.config.platform, err);
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct roots roots = roots_of(cli);
	struct committing c = { .args = args, .store = STORE_INIT, .view = VIEW_INIT };
	const char *name = NULL;
	int r = words->n > 1 ? new_name(&c.arena, words->words[1], &name, err) : 0;

	if (r == 0)
		r = open_store(cli, &c.store, err);
	if (r == 0)
		r = prepare(&c, &roots, words->words[0], err);
	if (r == 0)
		r = commit(cli, &c, name, err);
	view_clear(&c.view);
	store_clear(&c.store);
	arena_clear(&c.arena);
	return r;
}

static const struct option options[] = {
	{ "author", 'a', "NAME", "who made it", option_set_text, offsetof(struct args, author) },
	{ "change", 'c', "INSTRUCTION",
	  "change the config: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ...",
	  option_set_values, offsetof(struct args, changes) },
	{ "compression", 0, "METHOD", "of the layer: gzip (default), zstd or none", option_set_text,
	  offsetof(struct args, compression) },
	{ "message", 'm', "TEXT", "a comment for the history", option_set_text,
	  offsetof(struct args, message) },
	{ "pause", 'p', NULL, "stop a running container while it is read (default)",
	  option_set_maybe, offsetof(struct args, pause) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_commit = {
	.name = "commit",
	.alias = "container commit",
	.operands = "CONTAINER [NAME]",
	.min_operands = 1,
	.max_operands = 2,
	.summary = "make an image of a container",
	.details =
		"What it has written is one layer more; it is run as the container was. Mounted directories are not in it.",
	.options = options,
	.run = run,
};
