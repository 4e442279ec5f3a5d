/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `images`: what is in the store, a line for each name. */
#include "base/json_write.h"
#include "cli/cmd/command.h"
#include "cli/format_print.h"
#include "cli/human.h"
#include "cli/table.h"
#include "image/artifacts.h"
#include "image/image.h"
#include "spec/reference.h"

#include <stdio.h>
#include <string.h>

struct args {
	const char *format;
	bool quiet, no_trunc;
};

/* One line of it. */
struct row {
	const char *repository, *tag, *id; /* "<none>" where there is none */
	const struct image *image;         /* NULL: it can't be read */
	const struct descriptor *entry;
};

static struct row make_row(struct arena *arena, const struct descriptor *entry,
			   const struct image *image, bool no_trunc)
{
	struct row row = { "<none>", "<none>", NULL, image, entry };
	const char *digest = image ? image->id : entry->digest;
	struct err ignored = ERR_INIT;
	const char *name = refs_name(entry);
	struct reference reference;
	char id[IMAGE_ID_SHORT + 1];

	row.id = no_trunc ? digest : arena_strdup(arena, image_short_id(digest, id));
	if (!name)
		return row;
	/* Another tool may have written what is no reference. */
	if (reference_parse(arena, name, &reference, &ignored) < 0) {
		row.repository = name;
		return row;
	}
	row.repository = reference_name(arena, &reference);
	if (reference.tag)
		row.tag = reference.tag;
	return row;
}

static int add_to_form(struct output_form *form, const struct row *row, time_t now, struct err *err)
{
	const struct image *image = row->image;
	const char *created = image ? image->config.created : NULL;
	const struct json *root;
	struct json_writer w;
	int r;

	json_writer_init(&w, form->arena, 0);
	json_object_begin(&w, NULL);
	json_add_string(&w, "Repository", row->repository);
	json_add_string(&w, "Tag", row->tag);
	json_add_string(&w, "ID", row->id);
	json_add_string(&w, "Digest", row->entry->digest);
	json_add_string(&w, "CreatedAt", created);
	json_add_string(&w, "CreatedSince", human_age(form->arena, created, now));
	json_add_string(&w, "Size", image ? human_size(form->arena, image->size) : "N/A");
	json_object_end(&w);
	r = json_writer_read(&w, &root, err);
	return r < 0 ? r : output_form_add(form, root, err);
}

static void add_to_table(struct table *table, const struct row *row, time_t now)
{
	const struct image *image = row->image;

	table_add(table, (const char *const[]){
				 row->repository, row->tag, row->id,
				 human_age(table->arena, image ? image->config.created : NULL, now),
				 image ? human_size(table->arena, image->size) : "N/A" });
}

#define HEADINGS                                                                                    \
	"{\"Repository\":\"REPOSITORY\",\"Tag\":\"TAG\",\"ID\":\"IMAGE ID\",\"Digest\":\"DIGEST\"," \
	"\"CreatedAt\":\"CREATED AT\",\"CreatedSince\":\"CREATED\",\"Size\":\"SIZE\"}"

/* An image that can't be read must not hide the others: it is listed with what is known, and the log has the reason. */
static const struct image *load(struct cli *cli, const struct store *store, struct arena *arena,
				const struct descriptor *entry, const struct platform *host)
{
	struct image *image = arena_alloc(arena, sizeof(*image));
	struct err err = ERR_INIT;

	if (image_load(store, arena, entry, host, image, &err) == 0)
		return image;
	log_write(&cli->log, LOG_LEVEL_WARNING, "%s", err.text);
	return NULL;
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	static const char *const headings[] = { "REPOSITORY", "TAG",  "IMAGE ID",
						"CREATED",    "SIZE", NULL };
	const struct args *a = args;
	defer_arena struct arena arena = { 0 };
	defer_store struct store store = STORE_INIT;
	struct image_index index;
	struct artifact_list artifacts = { 0 }; /* are no images */
	struct platform host = image_host_platform(&arena);
	time_t now = time(NULL);
	bool has_form = a->format && strcmp(a->format, "table") != 0;
	struct output_form form;
	struct table table;
	int r = has_form ? output_form_read(&arena, a->format, HEADINGS, &form, err) : 0;

	if (r == 0)
		r = open_store(cli, &store, err);
	if (r == 0)
		r = refs_read(&store, &arena, &index, err);
	if (r < 0)
		return r;

	artifacts_listed(&store, &arena, &index, &artifacts);
	table_init(&table, &arena, headings);
	for (size_t i = 0; r == 0 && i < index.manifests.n; i++) {
		const struct descriptor *entry = &index.manifests.items[i];
		const struct image *image;
		struct row row;

		if (!refs_name(entry) && artifacts_has(&artifacts, entry->digest))
			continue;
		image = load(cli, &store, &arena, entry, &host);
		row = make_row(&arena, entry, image, a->no_trunc);
		if (a->quiet)
			printf("%s\n", row.id);
		else if (has_form)
			r = add_to_form(&form, &row, now, err);
		else
			add_to_table(&table, &row, now);
	}
	if (r < 0 || a->quiet)
		return r;
	if (has_form)
		output_form_end(&form);
	else
		table_print(&table);
	return 0;
}

static const struct option options[] = {
	{ "format", 0, "FORMAT",
	  "table (default), json: an object a line, a Go template, or \"table \" and one",
	  option_set_text, offsetof(struct args, format) },
	{ "quiet", 'q', NULL, "show only the ids", option_set_switch,
	  offsetof(struct args, quiet) },
	{ "no-trunc", 0, NULL, "show ids in full", option_set_switch,
	  offsetof(struct args, no_trunc) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_images = {
	.name = "images",
	.alias = "image ls",
	.operands = "",
	.summary = "show the images in the store",
	.options = options,
	.records_nothing = true,
	.needs_no_ids = true,
	.run = run,
};
