/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `copy`: an image from one place to another. A place is "docker://NAME" at a registry, or a name in the store. From registry to
 * registry the blobs pass through the store, where nothing holds them afterwards.
 */
#include "cli/cmd/registry.h"
#include "image/image.h"

#include <stdio.h>
#include <string.h>

struct args {
	const char *platform;
	bool quiet;
	struct registry_args from, to;
};

/* Both ends, and what is needed at either. */
struct copy {
	const struct args *args;
	struct roots roots;
	struct store store;
	struct arena arena;
	struct platform platform;
	struct progress progress;
	const char *from, *to; /* names; at a registry without the prefix */
	bool from_registry, to_registry;
};

/* "docker://NAME"; another word with "://", or one of skopeo's other places, is not taken for a name. */
static int read_place(const char *text, const char **ret_name, bool *ret_registry, struct err *err)
{
	size_t prefix = strlen(REGISTRY_PREFIX);
	static const char *const others[] = { "oci:", "oci-archive:",   "docker-archive:",
					      "dir:", "docker-daemon:", "containers-storage:" };

	*ret_registry = !strncmp(text, REGISTRY_PREFIX, prefix);
	*ret_name = text + (*ret_registry ? prefix : 0);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (strncmp(text, others[i], strlen(others[i])) != 0)
			continue;
		err_user(err, "\"%s\" is no place that is known here", text);
		return err_hint(err, "it is docker://NAME, or a name in the store");
	}
	return 0;
}

static int pull(struct copy *c, struct descriptor *ret, struct err *err)
{
	struct pull_request request = {
		.name = c->from,
		.as = c->to_registry ? NULL : c->to,
		.pass_on = c->to_registry,
		.platform = &c->platform,
		.access = registry_access_of(&c->args->from),
		.watch = progress_watch(&c->progress),
		.may_skip = geteuid() != 0,
		.user_xattrs = geteuid() != 0,
	};
	struct pull_result result;
	int r = transfer_pull(&c->roots, &c->store, &c->arena, &request, &result, err);

	if (r == 0)
		*ret = result.top;
	return r;
}

static int push(struct copy *c, const struct descriptor *source, struct err *err)
{
	struct push_request request = {
		.source = *source,
		.name = c->to,
		.platform = &c->platform,
		.access = registry_access_of(&c->args->to),
		.watch = progress_watch(&c->progress),
	};

	return transfer_push(&c->roots, &c->store, &c->arena, &request, err);
}

static int copy(struct copy *c, struct err *err)
{
	struct descriptor source = { 0 };
	int r;

	if (c->from_registry)
		r = pull(c, &source, err);
	else
		r = image_find_entry(&c->store, &c->arena, c->from, &source, err);
	return r == 0 && c->to_registry ? push(c, &source, err) : r;
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	struct args *a = args;
	struct copy c = { .args = a, .roots = roots_of(cli), .store = STORE_INIT };
	int r;

	a->to.authfile = a->from.authfile;
	r = read_place(words->words[0], &c.from, &c.from_registry, err);

	if (r == 0)
		r = read_place(words->words[1], &c.to, &c.to_registry, err);
	if (r == 0 && !c.from_registry && !c.to_registry) {
		err_user(err, "neither place is at a registry");
		r = err_hint(err, "a registry's image is written docker://NAME");
	}
	progress_init(&c.progress, c.args->quiet);
	if (r == 0)
		r = registry_platform(&c.arena, c.args->platform, &c.platform, err);
	if (r == 0)
		r = open_store(cli, &c.store, err);
	if (r == 0)
		r = copy(&c, err);
	store_clear(&c.store);
	arena_clear(&c.arena);
	return r;
}

static const struct option options[] = {
	{ "platform", 0, "OS/ARCH", "of an image for several, the one for this platform",
	  option_set_text, offsetof(struct args, platform) },
	{ "quiet", 'q', NULL, "show nothing but errors", option_set_switch,
	  offsetof(struct args, quiet) },
	{ "src-tls-verify", 0, NULL, "--tls-verify of pull, for the first place", option_set_maybe,
	  offsetof(struct args, from.tls_verify) },
	{ "dest-tls-verify", 0, NULL, "--tls-verify of push, for the second", option_set_maybe,
	  offsetof(struct args, to.tls_verify) },
	{ "src-creds", 0, "CREDENTIAL", "--creds of pull, for the first place", option_set_text,
	  offsetof(struct args, from.creds) },
	{ "dest-creds", 0, "CREDENTIAL", "--creds of push, for the second", option_set_text,
	  offsetof(struct args, to.creds) },
	{ "authfile", 0, "FILE", "where names and passwords are kept", option_set_text,
	  offsetof(struct args, from.authfile) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_copy = {
	.name = "copy",
	.operands = "FROM TO",
	.min_operands = 2,
	.max_operands = 2,
	.summary = "copy an image between registries and the store",
	.details = "FROM and TO are docker://NAME at a registry, or a name in the store.\n",
	.options = options,
	.records_nothing = true,
	.run = run,
};
