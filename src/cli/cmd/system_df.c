/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `system df`: how much of the disk is ours, and what of it nobody needs. The sum is what du(1) says of --root. */
#include "base/json_write.h"
#include "cli/cmd/command.h"
#include "cli/human.h"
#include "cli/table.h"
#include "image/gc.h"
#include "image/usage.h"
#include "os/walk.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

struct args {
	const char *format;
};

struct part {
	const char *name, *directory;
	uint64_t n, bytes, garbage; /* n: of names in it */
};

enum { PART_IMAGES, PART_LAYERS, PART_STAGING, PART_CONTAINERS, PART_VOLUMES, PARTS };

static void count_garbage(void *arg, enum gc_kind kind, const char *name, uint64_t bytes)
{
	static const int parts[] = { PART_IMAGES, PART_LAYERS, PART_STAGING, PART_IMAGES };
	struct part *all = arg;

	all[parts[kind]].garbage += bytes;
}

/* The names in it; of images those of blobs. */
static int count_names(const struct store *store, struct arena *arena, struct part *part)
{
	char **names;
	size_t n;
	int r = 0;

	if (!strcmp(part->directory, "images")) {
		for (int i = 0; r == 0 && i < DIGEST_ALGORITHMS; i++) {
			r = os_list(store->blobs[i], arena, &names, &n);
			part->n += r == 0 ? n : 0;
		}
	} else {
		defer_close int fd = openat(store->root, part->directory,
					    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		r = fd < 0 ? -errno : os_list(fd, arena, &names, &n);
		part->n = r == 0 ? n : 0;
	}
	return r == -ENOENT ? 0 : r;
}

static int measure(const struct store *store, struct arena *arena, struct part *parts,
		   uint64_t *ret_total, struct err *err)
{
	const struct gc_options options = { .dry_run = true, .gone = count_garbage, .arg = parts };
	struct err unknown = ERR_INIT;
	struct gc_result garbage;
	struct usage usage;
	int r = 0;

	usage_init(&usage, arena);
	for (int i = 0; r == 0 && i < PARTS; i++) {
		uint64_t before = usage.bytes;

		r = usage_add(&usage, store->root, parts[i].directory);
		parts[i].bytes = usage.bytes - before;
		if (r == 0)
			r = count_names(store, arena, &parts[i]);
	}
	if (r < 0)
		return err_set(err, r, "measure the store");
	usage_init(&usage, arena);
	r = usage_add(&usage, store->root, ".");
	if (r < 0)
		return err_set(err, r, "measure the store");
	*ret_total = usage.bytes;
	/* With something damaged in it, nobody knows what is needed; `system check` says more. */
	r = gc_collect(store, &options, &garbage, &unknown);
	if (r == 0 || r == -EIO || unknown.kind == ERR_USER)
		return 0;
	*err = unknown;
	return r;
}

static void print_json(struct arena *arena, const struct part *parts, uint64_t total)
{
	struct json_writer w;

	json_writer_init(&w, arena, 0);
	json_object_begin(&w, NULL);
	for (int i = 0; i < PARTS; i++) {
		json_object_begin(&w, parts[i].name);
		json_add_u64(&w, "count", parts[i].n);
		json_add_u64(&w, "bytes", parts[i].bytes);
		json_add_u64(&w, "reclaimable", parts[i].garbage);
		json_object_end(&w);
	}
	json_add_u64(&w, "total", total);
	json_object_end(&w);
	printf("%s\n", json_writer_text(&w, NULL));
}

static void print_table(struct arena *arena, const struct part *parts, uint64_t total)
{
	static const char *const headings[] = { "TYPE", "COUNT", "SIZE", "RECLAIMABLE", NULL };
	struct table table;

	table_init(&table, arena, headings);
	for (int i = 0; i < PARTS; i++)
		table_add(&table,
			  (const char *const[]){
				  parts[i].name,
				  arena_printf(arena, "%llu", (unsigned long long)parts[i].n),
				  human_size(arena, parts[i].bytes),
				  human_size(arena, parts[i].garbage) });
	table_add(&table, (const char *const[]){ "total", "", human_size(arena, total), "" });
	table_print(&table);
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	struct part parts[PARTS] = { { "blobs", "images" },
				     { "layers", "layers" },
				     { "half-written", "staging" },
				     { "containers", "containers" },
				     { "volumes", "volumes" } };
	defer_arena struct arena arena = { 0 };
	defer_store struct store store = STORE_INIT;
	bool json = a->format && !strcmp(a->format, "json");
	uint64_t total = 0;
	int r;

	if (a->format && !json && strcmp(a->format, "table") != 0) {
		err_user(err, "unknown format \"%s\"", a->format);
		return err_hint(err, "it is table or json");
	}
	r = open_store(cli, &store, err);
	if (r == 0)
		r = measure(&store, &arena, parts, &total, err);
	if (r < 0)
		return r;
	if (json)
		print_json(&arena, parts, total);
	else
		print_table(&arena, parts, total);
	return 0;
}

static const struct option options[] = {
	{ "format", 0, "FORMAT", "table (default), or json, with exact sizes", option_set_text,
	  offsetof(struct args, format) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_system_df = {
	.name = "system df",
	.operands = "",
	.summary = "show what takes how much of the disk",
	.options = options,
	.records_nothing = true,
	.run = run,
};
