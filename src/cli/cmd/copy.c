/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `copy`: an image from one place to another. All ways lead through the store, where its blobs are verified, and where nothing holds
 * them afterwards unless it is the second place.
 */
#include "cli/cmd/output.h"
#include "cli/cmd/place.h"
#include "cli/cmd/registry.h"
#include "image/image.h"
#include "image/lease.h"
#include "image/load.h"
#include "image/save.h"

#include <stdio.h>
#include <string.h>

struct args {
	const char *platform;
	bool quiet, all_artifacts;
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
	struct place from, to;
	struct artifact_list artifacts; /* where it comes from; those of the image are among them */
	size_t n_artifacts;             /* that were copied */
};

/* ---- from --------------------------------------------------------------------------------------------------------- */

static int pull(struct copy *c, struct descriptor *ret, struct err *err)
{
	bool stays = c->to.kind == PLACE_STORE;
	struct pull_request request = {
		.name = c->from.name,
		.as = stays ? c->to.name : NULL,
		.pass_on = !stays,
		.all_artifacts = c->args->all_artifacts,
		.platform = &c->platform,
		.access = registry_access_of(&c->args->from),
		.watch = progress_watch(&c->progress),
	};
	struct pull_result result;
	int r = transfer_pull(&c->roots, &c->store, &c->arena, &request, &result, err);

	if (r < 0)
		return r;
	*ret = result.top;
	c->artifacts = result.artifacts;
	c->n_artifacts = result.artifacts.n;
	return 0;
}

static int find(struct copy *c, struct descriptor *ret, struct err *err)
{
	int r;

	if (c->from.kind == PLACE_REGISTRY)
		return pull(c, ret, err);
	if (c->from.kind != PLACE_STORE)
		return load_image(&c->store, &c->arena, c->from.path, c->from.name, ret,
				  &c->artifacts, err);
	r = image_find_entry(&c->store, &c->arena, c->from.name, ret, err);
	if (r == 0)
		r = lease_blob(&c->store, ret->digest, err);
	return r < 0 ? r : artifacts_in_store(&c->store, &c->arena, &c->artifacts, err);
}

/* Those of what is sent. */
static int choose_artifacts(struct copy *c, const char *digest, struct artifact_list *ret,
			    struct err *err)
{
	int r;

	if (!c->args->all_artifacts)
		return 0;
	r = artifacts_of(&c->store, &c->arena, &c->artifacts, digest, ret, err);
	c->n_artifacts = ret->n;
	return r;
}

/* ---- to ----------------------------------------------------------------------------------------------------------- */

static int push(struct copy *c, const struct descriptor *source, struct err *err)
{
	struct push_request request = {
		.source = *source,
		.name = c->to.name,
		.platform = &c->platform,
		.artifacts = c->args->all_artifacts ? &c->artifacts : NULL,
		.access = registry_access_of(&c->args->to),
		.watch = progress_watch(&c->progress),
	};

	return transfer_push(&c->roots, &c->store, &c->arena, &request, &c->n_artifacts, err);
}

static int write_archive(struct copy *c, const struct save_list *images, struct err *err)
{
	struct output output;
	struct fd_sink out;
	int r = output_begin(&c->arena, c->to.path, &output, err);

	if (r < 0)
		return r;
	fd_sink_init(&out, output.fd);
	r = save_tar(&c->store, &c->arena, images, &out.sink, err);
	return output_end(&output, r, err);
}

/* The one image for the platform, under the name that was given; docker's archive takes none but whole ones. */
static int save(struct copy *c, const struct descriptor *source, struct err *err)
{
	const char *name = c->to.name;
	struct image image;
	struct save_list images = { .items = &image,
				    .names = &name,
				    .n = 1,
				    .oci_only = c->to.kind != PLACE_DOCKER_ARCHIVE,
				    .tags = c->to.kind != PLACE_DOCKER_ARCHIVE };
	int r = image_load(&c->store, &c->arena, source, &c->platform, &image, err);

	if (r == 0 && c->to.kind == PLACE_DOCKER_ARCHIVE && name)
		r = new_name(&c->arena, name, &name, err);
	if (r == 0)
		r = choose_artifacts(c, image.digest, &images.artifacts, err);
	if (r < 0)
		return r;
	return c->to.kind == PLACE_LAYOUT
		       ? output_layout(&c->store, &c->arena, &images, c->to.path, true, err)
		       : write_archive(c, &images, err);
}

static int name_in_store(struct copy *c, const struct descriptor *source, struct err *err)
{
	struct artifact_list artifacts = { 0 };
	const char *name;
	int r = new_name(&c->arena, c->to.name, &name, err);

	if (r == 0)
		r = choose_artifacts(c, source->digest, &artifacts, err);
	if (r == 0)
		r = artifacts_keep(&c->store, &artifacts, err);
	return r < 0 ? r : refs_set(&c->store, name, source, err);
}

static int copy(struct copy *c, struct err *err)
{
	struct descriptor source = { 0 };
	int r = find(c, &source, err);

	if (r < 0)
		return r;
	if (c->to.kind == PLACE_REGISTRY)
		return push(c, &source, err);
	if (c->to.kind != PLACE_STORE)
		return save(c, &source, err);
	return c->from.kind == PLACE_REGISTRY ? 0 : name_in_store(c, &source, err);
}

static int read_places(struct copy *c, const struct operands *words, struct err *err)
{
	int r = place_read(&c->arena, words->words[0], &c->from, err);

	if (r == 0)
		r = place_read(&c->arena, words->words[1], &c->to, err);
	if (r == 0 && c->from.kind == PLACE_STORE && c->to.kind == PLACE_STORE) {
		err_user(err, "both places are the store");
		r = err_hint(err, "tare tag gives an image another name; one at a registry is "
				  "written docker://NAME");
	}
	return r;
}

static bool to_stdout(const struct place *to)
{
	return to->path && !strcmp(to->path, "-");
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	struct args *a = args;
	struct copy c = { .args = a, .roots = roots_of(cli), .store = STORE_INIT };
	struct err second = ERR_INIT;
	int r, collected = 0;
	bool passes;

	a->to.authfile = a->from.authfile;
	r = read_places(&c, words, err);
	passes = r == 0 && c.from.kind != PLACE_STORE && c.from.kind != PLACE_REGISTRY;
	progress_init(&c.progress, c.args->quiet);
	if (r == 0)
		r = registry_platform(&c.arena, c.args->platform, &c.platform, err);
	if (r == 0)
		r = open_store(cli, &c.store, err);
	if (r == 0)
		r = copy(&c, err);
	if (r == 0 && a->all_artifacts && !a->quiet && !to_stdout(&c.to))
		printf("artifacts: %zu\n", c.n_artifacts);
	store_clear(&c.store);
	arena_clear(&c.arena);
	if (passes)
		collected = collect_rests(cli, r < 0 ? &second : err);
	return r < 0 ? r : collected;
}

static const struct option options[] = {
	{ "all-artifacts", 0, NULL,
	  "with the signatures, SBOMs and whatever else refers to the image where it is",
	  option_set_switch, offsetof(struct args, all_artifacts) },
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
	.summary = "copy an image between registries, files and the store",
	.details =
		"FROM and TO are docker://NAME at a registry, oci:DIR[:TAG], oci-archive:FILE[:TAG],\n"
		"docker-archive:FILE[:NAME], or store:NAME or a name in the store.",
	.options = options,
	.records_nothing = true,
	.run = run,
};
