/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `container prune`: all containers that do not run go. */
#include "cli/cmd/each.h"
#include "cli/human.h"
#include "engine/remove.h"
#include "image/usage.h"

#include <stdio.h>
#include <string.h>

struct args {
	bool force;
};

/* As of docker: anything but a word that begins with y means no, the end of the input too. */
static bool is_wanted(void)
{
	char answer[8];

	printf("This removes all containers that do not run.\nGo on? [y/N] ");
	fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* What its directory takes of the disk; 0 if that can't be told */
static uint64_t size_of(struct arena *arena, const struct store *store, const char *id)
{
	struct usage usage;

	usage_init(&usage, arena);
	if (usage_add(&usage, store->root, arena_printf(arena, CONTAINERS_DIRECTORY "/%s", id)) < 0)
		return 0;
	return usage.bytes;
}

/* Return: 0; 1 if one could not be removed; -errno */
static int prune(struct cli *cli, struct arena *arena, const struct roots *roots,
		 const struct store *store, struct err *err)
{
	struct report report = command_report(cli);
	struct container_record *records;
	uint64_t bytes = 0;
	size_t n, removed = 0;
	int r = containers_list(arena, roots, &records, &n, report_unreadable, &cli->log, err),
	    result = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		uint64_t size = size_of(arena, store, records[i].id);
		struct err one = ERR_INIT;
		int gone = container_remove(roots, records[i].id, false, &report, &one);

		/* It runs, or somebody else was quicker. */
		if (gone == -EBUSY || gone == -ENOENT)
			continue;
		if (gone < 0) {
			err_context(&one, "prune %.12s", records[i].id);
			log_error(&cli->log, &one);
			result = 1;
			continue;
		}
		if (removed++ == 0)
			printf("Deleted Containers:\n");
		printf("%s\n", records[i].id);
		bytes += size;
	}
	if (r == 0)
		printf("%sTotal reclaimed space: %s\n", removed ? "\n" : "",
		       human_size(arena, bytes));
	return r < 0 ? r : result;
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	defer_arena struct arena arena = { 0 };
	defer_store struct store store = STORE_INIT;
	struct roots roots = roots_of(cli);
	int r;

	if (!a->force && !is_wanted())
		return 0;
	r = open_store(cli, &store, err);
	if (r == 0)
		r = containers_sweep(&roots, err);
	return r < 0 ? r : prune(cli, &arena, &roots, &store, err);
}

static const struct option options[] = {
	{ "force", 'f', NULL, "do not ask", option_set_switch, offsetof(struct args, force) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_container_prune = {
	.name = "container prune",
	.operands = "",
	.summary = "remove all containers that do not run",
	.options = options,
	.run = run,
};
