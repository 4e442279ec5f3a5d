/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `rmi`: names go, and with an image's last name what only it needed. */
#include "cli/cmd/command.h"
#include "image/gc.h"
#include "image/remove.h"

#include <stdio.h>

struct args {
	bool force;
};

static void show(const struct image_removal *removal)
{
	for (size_t i = 0; i < removal->names.n; i++)
		printf("Untagged: %s\n", removal->names.items[i]);
	if (removal->digest)
		printf("Deleted: %s\n", removal->digest);
}

/* What referred to what is gone goes with it. */
static void show_gone(void *arg, enum gc_kind kind, const char *name, uint64_t bytes)
{
	if (kind == GC_ARTIFACT)
		printf("Deleted: %s\n", name);
}

/* A download that was interrupted may be gone on with, so that is left. */
static int collect(const struct store *store, struct err *err)
{
	const struct gc_options options = { .keep_begun = true, .gone = show_gone };
	struct gc_result result;

	return gc_collect(store, &options, &result, err);
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	defer_arena struct arena arena = { 0 };
	defer_store struct store store = STORE_INIT;
	int r = open_store(cli, &store, err), collected;
	struct err second = ERR_INIT;

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < words->n; i++) {
		struct image_removal removal;

		r = image_remove(&store, &arena, operands_at(words, i), a->force, &removal, err);
		if (r == 0)
			show(&removal);
	}
	collected = collect(&store, r < 0 ? &second : err);
	return r < 0 ? r : collected;
}

static const struct option options[] = {
	{ "force", 'f', NULL, "remove an image by its id even if it has several names",
	  option_set_switch, offsetof(struct args, force) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_rmi = {
	.name = "rmi",
	.alias = "image rm",
	.operands = "IMAGE...",
	.min_operands = 1,
	.max_operands = OPERANDS_ANY,
	.summary = "remove images, by name or id",
	.options = options,
	.records_nothing = true,
	.run = run,
};
