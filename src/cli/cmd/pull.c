/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `pull`: an image from a registry into the store. */
#include "cli/cmd/registry.h"

#include <stdio.h>

struct args {
	const char *platform;
	bool quiet, all_artifacts;
	struct registry_args registry;
};

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	defer_arena struct arena arena = { 0 };
	defer_store struct store store = STORE_INIT;
	struct roots roots = roots_of(cli);
	struct progress progress;
	struct platform platform;
	struct pull_request request = { .name = words->words[0],
					.platform = &platform,
					.all_artifacts = a->all_artifacts,
					.emulated = !a->platform };
	struct pull_result result;
	int r = registry_platform(&arena, a->platform, &platform, err);

	progress_init(&progress, a->quiet);
	request.access = registry_access_of(&a->registry);
	request.watch = progress_watch(&progress);
	if (r == 0)
		r = open_store(cli, &store, err);
	if (r == 0)
		r = transfer_pull(&roots, &store, &arena, &request, &result, err);
	if (r < 0)
		return r;
	printf("%s\n", result.name);
	return 0;
}

static const struct option options[] = {
	{ "all-artifacts", 0, NULL,
	  "with the signatures, SBOMs and whatever else refers to the image there",
	  option_set_switch, offsetof(struct args, all_artifacts) },
	{ "platform", 0, "OS/ARCH", "of an image for several, the one for this platform",
	  option_set_text, offsetof(struct args, platform) },
	{ "quiet", 'q', NULL, "show only the name", option_set_switch,
	  offsetof(struct args, quiet) },
	REGISTRY_OPTIONS(struct args, registry),
	CREDS_OPTION(struct args, registry),
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_pull = {
	.name = "pull",
	.alias = "image pull",
	.operands = "NAME",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "get an image from a registry",
	.options = options,
	.records_nothing = true,
	.run = run,
};
