/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands that make images have in common: names, compression, changes of the config, rests. */
#include "cli/cmd/command.h"
#include "image/change.h"
#include "image/gc.h"
#include "image/refs.h"
#include "spec/reference.h"

#include <stdio.h>
#include <string.h>

int new_name(struct arena *arena, const char *text, const char **ret, struct err *err)
{
	struct reference reference;
	int r = reference_parse(arena, text, &reference, err);

	if (r < 0)
		return r;
	if (reference.digest)
		return err_user(err, "\"%s\" has a digest, and a name can't choose its own", text);
	if (!reference.registry)
		reference.registry = REFERENCE_LOCAL_REGISTRY;
	reference_complete(arena, &reference);
	*ret = reference_text(arena, &reference);
	return 0;
}

int read_compression(const char *text, enum media_compression *ret, struct err *err)
{
	static const struct {
		const char *name;
		enum media_compression value;
	} names[] = { { "gzip", COMPRESSION_GZIP },
		      { "zstd", COMPRESSION_ZSTD },
		      { "none", COMPRESSION_NONE } };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i].name, text) == 0) {
			*ret = names[i].value;
			return 0;
		}
	}
	err_user(err, "unknown compression \"%s\"", text);
	return err_hint(err, "it is gzip, zstd or none");
}

int apply_changes(struct arena *arena, struct image_process *process,
		  const struct option_values *changes, struct err *err)
{
	struct change change = { .arena = arena, .process = process };
	int r = 0;

	for (size_t i = 0; r == 0 && i < changes->n; i++)
		r = change_apply(&change, changes->items[i], err);
	return r;
}

int name_new_image(const struct store *store, const char *name, const struct descriptor *image,
		   const struct platform *platform, struct err *err)
{
	struct descriptor entry = *image;
	int r;

	entry.platform = *platform;
	entry.platform.set = true;
	r = refs_set(store, name, &entry, err);
	if (r == 0)
		printf("%s\n", image->digest);
	return r;
}

int collect_rests(const struct cli *cli, struct err *err)
{
	const struct gc_options options = { .keep_begun = true };
	defer_store struct store store = STORE_INIT;
	struct gc_result result;
	int r = open_store(cli, &store, err);

	return r < 0 ? r : gc_collect(&store, &options, &result, err);
}
