/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `push`: an image from the store to a registry. */
#include "cli/cmd/registry.h"
#include "image/image.h"

#include <stdio.h>
#include <string.h>

struct args {
	bool quiet, all_artifacts;
	struct registry_args registry;
};

/* The image's own repository, if it is at the registry that the new name leads to. */
static const char *mount_from(struct arena *arena, const struct descriptor *source, const char *to)
{
	const char *name = refs_name(source);
	struct reference from, target;
	struct err ignored = ERR_INIT;

	if (!name || reference_parse(arena, name, &from, &ignored) < 0 ||
	    reference_parse(arena, to, &target, &ignored) < 0)
		return NULL;
	if (!from.registry || !target.registry || strcmp(from.registry, target.registry) != 0)
		return NULL;
	return strcmp(from.path, target.path) != 0 ? from.path : NULL;
}

/* Where it goes: the second operand, or the image's own name */
static int target_of(const struct operands *words, const struct descriptor *source,
		     const char **ret, struct err *err)
{
	*ret = words->n > 1 ? words->words[1] : refs_name(source);
	if (*ret)
		return 0;
	err_user(err, "push \"%s\": the image has no name", words->words[0]);
	return err_hint(err, "say where it goes: tare push %s REGISTRY/NAME:TAG", words->words[0]);
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	defer_arena struct arena arena = { 0 };
	defer_store struct store store = STORE_INIT;
	struct roots roots = roots_of(cli);
	struct platform platform = image_host_platform(&arena);
	struct push_request request = { .platform = &platform };
	struct artifact_list artifacts;
	struct progress progress;
	int r = open_store(cli, &store, err);

	progress_init(&progress, a->quiet);
	request.access = registry_access_of(&a->registry);
	request.watch = progress_watch(&progress);
	if (r == 0)
		r = image_find_entry(&store, &arena, words->words[0], &request.source, err);
	if (r == 0)
		r = target_of(words, &request.source, &request.name, err);
	if (r == 0 && a->all_artifacts) {
		r = artifacts_in_store(&store, &arena, &artifacts, err);
		request.artifacts = &artifacts;
	}
	if (r < 0)
		return r;
	request.mount_from = mount_from(&arena, &request.source, request.name);
	return transfer_push(&roots, &store, &arena, &request, NULL, err);
}

static const struct option options[] = {
	{ "all-artifacts", 0, NULL,
	  "with the signatures, SBOMs and whatever else refers to the image in the store",
	  option_set_switch, offsetof(struct args, all_artifacts) },
	{ "quiet", 'q', NULL, "show nothing but errors", option_set_switch,
	  offsetof(struct args, quiet) },
	REGISTRY_OPTIONS(struct args, registry),
	CREDS_OPTION(struct args, registry),
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_push = {
	.name = "push",
	.alias = "image push",
	.operands = "IMAGE [NAME]",
	.min_operands = 1,
	.max_operands = 2,
	.summary = "send an image to a registry",
	.details = "It goes to where its name says, or to NAME.\n",
	.options = options,
	.records_nothing = true,
	.run = run,
};
