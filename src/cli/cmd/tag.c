/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `tag`: one more name for an image. */
#include "cli/cmd/command.h"
#include "image/image.h"
#include "image/lease.h"

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	defer_store struct store store = STORE_INIT;
	struct descriptor entry;
	const char *name;
	int r = new_name(&arena, words->words[1], &name, err);

	if (r == 0)
		r = open_store(cli, &store, err);
	if (r == 0)
		r = image_find_entry(&store, &arena, words->words[0], &entry, err);
	/* Whoever removes its other name meanwhile must not take it away. */
	if (r == 0)
		r = lease_blob(&store, entry.digest, err);
	if (r == 0)
		r = image_find_entry(&store, &arena, words->words[0], &entry, err);
	return r < 0 ? r : refs_set(&store, name, &entry, err);
}

static const struct option options[] = { OPTION_END };

const struct command command_tag = {
	.name = "tag",
	.alias = "image tag",
	.operands = "IMAGE NAME",
	.min_operands = 2,
	.max_operands = 2,
	.summary = "give an image one more name",
	.details = "A name without a registry is one of this machine's: localhost/NAME.",
	.options = options,
	.records_nothing = true,
	.run = run,
};
