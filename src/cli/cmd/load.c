/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `load`: images from an archive or a layout. */
#include "cli/cmd/command.h"
#include "image/load.h"

#include <stdio.h>

struct args {
	const char *input, *name;
	bool quiet, all_artifacts;
};

static void show(const struct loaded_list *loaded)
{
	for (size_t i = 0; i < loaded->n; i++)
		printf("Loaded image: %s\n",
		       loaded->items[i].name ? loaded->items[i].name : loaded->items[i].digest);
	for (size_t i = 0; i < loaded->artifacts.n; i++)
		printf("Loaded artifact: %s\n", loaded->artifacts.items[i].manifest.digest);
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	defer_arena struct arena arena = { 0 };
	struct store store = STORE_INIT;
	struct err second = ERR_INIT;
	struct loaded_list loaded;
	const char *name = NULL;
	int r = a->name ? new_name(&arena, a->name, &name, err) : 0, collected;

	if (r == 0)
		r = open_store(cli, &store, err);
	if (r < 0)
		return r;
	r = load_images(&store, &arena, a->input ? a->input : "-", name, a->all_artifacts, &loaded,
			err);
	store_clear(&store);
	if (r == 0 && !a->quiet)
		show(&loaded);
	collected = collect_rests(cli, r < 0 ? &second : err);
	return r < 0 ? r : collected;
}

static const struct option options[] = {
	{ "all-artifacts", 0, NULL,
	  "with the signatures, SBOMs and whatever else refers to the images there",
	  option_set_switch, offsetof(struct args, all_artifacts) },
	{ "input", 'i', "PATH", "a file or a directory; without it, standard input",
	  option_set_text, offsetof(struct args, input) },
	{ "name", 0, "NAME", "of the one image that is in it", option_set_text,
	  offsetof(struct args, name) },
	{ "quiet", 'q', NULL, "do not say what was loaded", option_set_switch,
	  offsetof(struct args, quiet) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_load = {
	.name = "load",
	.alias = "image load",
	.operands = "",
	.summary = "take images from an archive: docker's, or an OCI image layout",
	.details = "It may be compressed. An OCI image layout may be a directory, too.",
	.options = options,
	.records_nothing = true,
	.run = run,
};
