/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `system check`: is everything in the store what it says, and is there anything that nobody needs. */
#include "cli/cmd/command.h"
#include "cli/human.h"
#include "engine/rootless.h"
#include "image/check.h"

#include <stdio.h>
#include <unistd.h>

struct args {
	bool repair;
};

static void show(void *arg, const struct check_finding *finding)
{
	printf("%s%s\n", finding->text, finding->repaired ? " (repaired)" : "");
	if (finding->hint && !finding->repaired)
		printf("    %s\n", finding->hint);
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	defer_arena struct arena arena = { 0 };
	defer_store struct store store = STORE_INIT;
	bool user = rootless_is_user();
	const struct check_options options = {
		.repair = a->repair, .user_xattrs = user, .may_skip = user, .found = show
	};
	struct check_result result;
	int r = open_store(cli, &store, err);

	if (r == 0)
		r = check_store(&store, &options, &result, err);
	if (r < 0)
		return r;
	printf("%u blobs and %u layers: %u found, %u repaired", result.blobs, result.layers,
	       result.found, result.repaired);
	if (result.garbage_bytes)
		printf(", %s %s", human_size(&arena, result.garbage_bytes),
		       a->repair ? "freed" : "to be freed");
	printf("\n");
	return result.found > result.repaired ? 1 : 0;
}

static const struct option options[] = {
	{ "repair", 0, NULL, "remove what is damaged or not needed, unpack layers anew",
	  option_set_switch, offsetof(struct args, repair) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_system_check = {
	.name = "system check",
	.operands = "",
	.summary = "verify every byte of the image store",
	.details =
		"Reads every blob, compares every unpacked layer with its blob, follows every reference.\n"
		"Its status is 1 if something is wrong that was not repaired.",
	.options = options,
	.records_nothing = true,
	.run = run,
};
