/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `image gc`: what nobody needs goes. */
#include "cli/cmd/command.h"
#include "cli/human.h"
#include "image/gc.h"

#include <stdio.h>

struct args {
	bool dry_run;
};

static void show(void *arg, enum gc_kind kind, const char *name, uint64_t bytes)
{
	static const char *const words[] = { "blob", "layer", "half-written", "artifact" };
	struct arena *arena = arg;

	printf("%s %s (%s)\n", words[kind], name, human_size(arena, bytes));
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	defer_arena struct arena arena = { 0 };
	defer_store struct store store = STORE_INIT;
	const struct gc_options options = { .dry_run = a->dry_run, .gone = show, .arg = &arena };
	struct gc_result result;
	int r = open_store(cli, &store, err);

	if (r == 0)
		r = gc_collect(&store, &options, &result, err);
	if (r == 0)
		printf("%s: %s\n", a->dry_run ? "to be freed" : "freed",
		       human_size(&arena, result.bytes));
	return r;
}

static const struct option options[] = {
	{ "dry-run", 'n', NULL, "only say what would go", option_set_switch,
	  offsetof(struct args, dry_run) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_image_gc = {
	.name = "image gc",
	.operands = "",
	.summary = "remove blobs, layers and half-written files that nobody needs",
	.details = "An image without a name is needed until rmi removes it.",
	.options = options,
	.records_nothing = true,
	.run = run,
};
