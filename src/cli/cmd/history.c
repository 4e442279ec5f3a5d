/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `history`: how an image came to be, the last step first. */
#include "base/json_write.h"
#include "cli/cmd/command.h"
#include "cli/format_print.h"
#include "cli/human.h"
#include "image/image.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define SHOWN 45 /* of CREATED BY, unless --no-trunc */

struct args {
	const char *format;
	bool quiet, no_trunc;
};

struct made_step {
	const struct image_history *history;
	const char *id; /* of the whole image at its last step */
	uint64_t size;  /* of its layer */
};

static const char *created_by(struct arena *arena, const struct made_step *step, bool whole)
{
	const char *text = step->history->created_by ? step->history->created_by : "";

	return whole || strlen(text) <= SHOWN ? text
					      : arena_printf(arena, "%.*s...", SHOWN - 3, text);
}

/* Layers and those entries of the history that have one go side by side. */
static size_t collect(struct arena *arena, const struct image *image, const char *id,
		      struct made_step **ret)
{
	const struct image_history_list *history = &image->config.history;
	struct made_step *steps = arena_array(arena, history->n + 1, sizeof(*steps));
	size_t n = image->config.diff_ids.n;
	const struct image_history **of_layers = arena_array(arena, n + 1, sizeof(*of_layers));

	image_layer_steps(&image->config, of_layers);
	for (size_t i = 0; i < history->n; i++) {
		struct made_step *step = &steps[history->n - 1 - i];

		*step = (struct made_step){ &history->items[i], "<missing>", 0 };
		for (size_t layer = 0; layer < n; layer++) {
			if (of_layers[layer] == &history->items[i])
				step->size = image->manifest.layers.items[layer].size;
		}
	}
	if (history->n)
		steps[0].id = id;
	*ret = steps;
	return history->n;
}

static int add(struct output_form *form, const struct made_step *step, const struct args *a,
	       time_t now, struct err *err)
{
	struct arena *arena = form->arena;
	const char *created = step->history->created;
	const struct json *root;
	struct json_writer w;
	int r;

	json_writer_init(&w, arena, 0);
	json_object_begin(&w, NULL);
	json_add_string(&w, "ID", step->id);
	json_add_string(&w, "CreatedAt", created ? created : "");
	json_add_string(&w, "CreatedSince", human_age(arena, created, now));
	json_add_string(&w, "CreatedBy", created_by(arena, step, a->no_trunc || form->is_json));
	json_add_string(&w, "Size", human_size(arena, step->size));
	json_add_string(&w, "Comment", step->history->comment ? step->history->comment : "");
	json_object_end(&w);
	r = json_writer_read(&w, &root, err);
	return r < 0 ? r : output_form_add(form, root, err);
}

#define HEADINGS                                                                                   \
	"{\"ID\":\"IMAGE\",\"CreatedAt\":\"CREATED AT\",\"CreatedSince\":\"CREATED\","             \
	"\"CreatedBy\":\"CREATED BY\",\"Size\":\"SIZE\",\"Comment\":\"COMMENT\"}"
#define TABLE "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	const char *text = a->quiet ? "{{.ID}}" : (a->format ? a->format : TABLE);
	defer_arena struct arena arena = { 0 };
	defer_store struct store store = STORE_INIT;
	struct platform host = image_host_platform(&arena);
	char id[IMAGE_ID_SHORT + 1];
	struct output_form form;
	struct image image;
	struct made_step *steps;
	size_t n;
	int r = output_form_read(&arena, text, HEADINGS, &form, err);

	if (r == 0)
		r = open_store(cli, &store, err);
	if (r == 0)
		r = image_find(&store, &arena, words->words[0], &host, &image, err);
	if (r < 0)
		return r;
	n = collect(&arena, &image, a->no_trunc ? image.id : image_short_id(image.id, id), &steps);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add(&form, &steps[i], a, time(NULL), err);
	if (r == 0)
		output_form_end(&form);
	return r;
}

static const struct option options[] = {
	{ "format", 0, "FORMAT", "json, a Go template, or \"table \" and one", option_set_text,
	  offsetof(struct args, format) },
	{ "no-trunc", 0, NULL, "show everything in full", option_set_switch,
	  offsetof(struct args, no_trunc) },
	{ "quiet", 'q', NULL, "show only the ids", option_set_switch,
	  offsetof(struct args, quiet) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_history = {
	.name = "history",
	.alias = "image history",
	.operands = "IMAGE",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "show how an image came to be",
	.options = options,
	.records_nothing = true,
	.needs_no_ids = true,
	.run = run,
};
