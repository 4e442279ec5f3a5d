/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/artifacts.h"

#include "engine/binfmt.h"
#include "engine/rootless.h"
#include "image/blob.h"
#include "image/image.h"
#include "image/lease.h"
#include "image/refs.h"
#include "spec/media_type.h"

#include <string.h>

struct pull {
	const struct roots *roots;
	const struct store *store;
	struct arena *arena;
	const struct pull_request *request;
	struct access access;
	struct meaning meaning;
	struct reference reference; /* which of them it is */
	struct session *session;
	struct manifest top;      /* what the tag names: an index, or the image's manifest */
	struct manifest document; /* of the image */
	struct image_manifest manifest;
	struct image_config config;
	struct str_list subjects; /* digests of top and of what leads from it to the manifest */
	struct artifact_list artifacts;
};

/* ---- documents -------------------------------------------------------------------------------------------------- */

/* The manifest from the first place that has it. */
static int get_top(struct pull *p, const struct endpoint_list *places, struct err *err)
{
	const char *wanted = p->reference.digest ? p->reference.digest : p->reference.tag;
	int r = -ENOENT;

	for (size_t i = 0; r < 0 && i < places->n; i++) {
		if (i)
			access_say(&p->request->watch, "%s; trying the next place", err->text);
		session_free(take_ptr(p->session));
		r = access_session(&p->access, &places->items[i], false, NULL, &p->session, err);
		if (r == 0)
			r = manifest_get(p->session, p->arena, wanted, &p->top, err);
	}
	return r;
}

static int choose(struct pull *p, const struct manifest *index, struct descriptor *ret,
		  struct err *err)
{
	const char *name = arena_printf(p->arena, "index %s", index->digest);
	char platform[PLATFORM_TEXT_MAX];
	const struct descriptor *chosen;
	struct image_index document;
	int r = image_index_read(p->arena, name, index->text, index->len, &document, err);

	if (r < 0)
		return r;
	chosen = platform_choose(&document, p->request->platform);
	if (!chosen) {
		platform_text(p->request->platform, platform);
		return err_user_code(err, -ENOENT, "%s has no image for %s", name, platform);
	}
	*ret = *chosen;
	return 0;
}

/* Something may refer to it. */
static void add_subject(struct pull *p)
{
	struct str_list *list = &p->subjects;

	list->items = arena_grow(p->arena, list->items, list->n, sizeof(*list->items));
	list->items[list->n++] = arena_strdup(p->arena, p->document.digest);
}

/* Through indexes, which are kept, to the manifest of the image. */
static int descend(struct pull *p, struct err *err)
{
	struct descriptor chosen = { 0 };
	int r;

	p->document = p->top;
	for (int depth = 0; media_type_find(p->document.media_type)->kind == MEDIA_INDEX; depth++) {
		if (depth == IMAGE_INDEX_DEPTH_MAX)
			return err_user(err, "more than %d indexes in each other",
					IMAGE_INDEX_DEPTH_MAX);
		add_subject(p);
		r = keep_document(p->store, &p->document, err);
		if (r == 0)
			r = choose(p, &p->document, &chosen, err);
		if (r == 0)
			r = manifest_get(p->session, p->arena, chosen.digest, &p->document, err);
		if (r < 0)
			return r;
	}
	add_subject(p);
	return 0;
}

static int read_manifest(struct pull *p, struct err *err)
{
	const char *name = arena_printf(p->arena, "manifest %s", p->document.digest);
	const struct image_manifest *m = &p->manifest;
	int r = image_manifest_read(p->arena, name, p->document.text, p->document.len, &p->manifest,
				    err);

	if (r < 0)
		return r;
	if (media_type_find(m->config.media_type)->kind != MEDIA_CONFIG)
		return err_user(err,
				"%s is no image but an artifact: its config is of type \"%.100s\"",
				name, m->artifact_type ? m->artifact_type : m->config.media_type);
	if (m->config.size > IMAGE_CONFIG_MAX_BYTES)
		return err_user(err, "%s has a config of more than %zu bytes", name,
				IMAGE_CONFIG_MAX_BYTES);
	return keep_document(p->store, &p->document, err);
}

/* Before a byte of a layer is asked for. */
static int check_platform(const struct pull *p, struct err *err)
{
	const struct platform *platform = &p->config.platform;
	char wanted[PLATFORM_TEXT_MAX], has[PLATFORM_TEXT_MAX];

	if (p->request->pass_on || platform_runs(p->request->platform, platform))
		return 0;
	if (p->request->emulated && platform->architecture &&
	    binfmt_runs(BINFMT_DIRECTORY, platform->architecture) == BINFMT_YES)
		return 0;
	platform_text(p->request->platform, wanted);
	platform_text(platform, has);
	err_user(err, "the image is for %.60s, and what is wanted is one for %.60s", has, wanted);
	return err_hint(err, "to have it all the same: --platform %.60s", has);
}

static int get_config(struct pull *p, struct err *err)
{
	const struct descriptor *of = &p->manifest.config;
	const char *name = arena_printf(p->arena, "config %s", of->digest);
	char *text;
	size_t len;
	int r = fetch_blob(p->store, p->session, of, NULL, err);

	if (r >= 0)
		r = blob_read(p->store, p->arena, of->digest, IMAGE_CONFIG_MAX_BYTES, &text, &len,
			      err);
	if (r == 0)
		r = image_config_read(p->arena, name, text, len, &p->config, err);
	if (r == 0 && p->config.diff_ids.n != p->manifest.layers.n)
		r = err_user(err, "manifest %s has %zu layers, but its config tells of %zu",
			     p->document.digest, p->manifest.layers.n, p->config.diff_ids.n);
	return r < 0 ? r : check_platform(p, err);
}

/* ---- layers ----------------------------------------------------------------------------------------------------- */

/* In a process of its own; locks are of open files, so it has the store and the registry to itself. */
static int do_layer(void *arg, size_t i, struct piece *piece, struct err *err)
{
	const struct pull *p = arg;
	const bool user = rootless_is_user();
	const struct descriptor *blob = &p->manifest.layers.items[i];
	const struct layer_request layer = {
		.blob = blob->digest,
		.diff_id = p->config.diff_ids.items[i],
		.limit = LAYER_BYTES_MAX,
		.options = { .user_xattrs = user, .may_skip = user },
	};
	defer_store struct store store = STORE_INIT;
	struct session *session = NULL;
	int r = roots_open_store(p->roots, &store, err);

	if (r == 0)
		r = session_fork(p->session, &session, err);
	if (r == 0)
		r = p->request->pass_on ? fetch_blob(&store, session, blob, piece, err)
					: fetch_layer(&store, session, blob, &layer, piece, err);
	session_free(session);
	if (r >= 0)
		piece->phase = r ? TRANSFER_IS_THERE : TRANSFER_UNPACKS;
	return r;
}

static void watch(void *arg, const struct piece *pieces, size_t n)
{
	const struct pull *p = arg;

	transfer_show(&p->request->watch, p->manifest.layers.items, pieces, n);
}

/* A process' leases end with it, and until the image has its name nothing else holds its layers. */
static int lease_layers(struct pull *p, struct err *err)
{
	char name[LAYER_NAME_MAX];
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->manifest.layers.n; i++) {
		if (layers_name(p->config.diff_ids.items[i], name) < 0)
			return err_user(err, "\"%s\" is no digest", p->config.diff_ids.items[i]);
		r = lease_blob(p->store, p->manifest.layers.items[i].digest, err);
		if (r == 0)
			r = lease_layer(p->store, name, err);
	}
	return r;
}

static int get_layers(struct pull *p, struct err *err)
{
	struct parallel parallel = { .n = p->manifest.layers.n,
				     .at_once = TRANSFER_AT_ONCE,
				     .work = do_layer,
				     .watch = watch,
				     .arg = p };
	int r = lease_layers(p, err);

	return r < 0 ? r : parallel_run(&parallel, NULL, err);
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

/* One of the things that the name may mean. */
static int find_top(struct pull *p, const struct reference *reference, struct err *err)
{
	struct endpoint_list places;
	int r = policy_check_registry(&p->access.policy, reference, err);

	p->reference = *reference;
	if (r == 0)
		r = registries_endpoints(p->arena, &p->access.registries, reference, false, &places,
					 err);
	if (r < 0)
		return r;
	access_say(&p->request->watch, "pulling %s", reference_text(p->arena, reference));
	return get_top(p, &places, err);
}

/* Whatever is wrong with one, the next may be what is meant. */
static int find_any_top(struct pull *p, struct err *err)
{
	int r = access_open(p->arena, &p->request->access, &p->access, err);

	if (r < 0)
		return r;
	access_warn(&p->access, &p->request->watch);
	r = access_reference(p->arena, &p->access, p->request->name, &p->request->watch,
			     &p->meaning, err);
	if (r < 0)
		return r;
	r = -ENOENT;
	for (size_t i = 0; r < 0 && i < p->meaning.n; i++) {
		if (i)
			access_say(&p->request->watch, "%s; trying the next registry", err->text);
		r = find_top(p, &p->meaning.items[i], err);
	}
	return r;
}

static int get_image(struct pull *p, struct err *err)
{
	int r = find_any_top(p, err);

	if (r == 0)
		r = descend(p, err);
	if (r == 0)
		r = read_manifest(p, err);
	if (r == 0)
		r = get_config(p, err);
	if (r == 0)
		r = get_layers(p, err);
	return r < 0 || !p->request->all_artifacts
		       ? r
		       : artifacts_get(p->store, p->arena, &p->access, &p->reference,
				       &p->request->watch, &p->subjects, &p->artifacts, err);
}

/* What it is called in the store: one without a registry is this machine's own. */
static int name_in_store(struct pull *p, const char **ret, struct err *err)
{
	struct reference reference = p->reference;
	int r = 0;

	if (p->request->as)
		r = reference_parse(p->arena, p->request->as, &reference, err);
	if (r < 0)
		return r;
	if (!reference.registry)
		reference.registry = REFERENCE_LOCAL_REGISTRY;
	reference_complete(p->arena, &reference);
	*ret = reference_text(p->arena, &reference);
	return 0;
}

static int set_name(struct pull *p, struct pull_result *ret, struct err *err)
{
	struct pull_result result = { .digest = arena_strdup(p->arena, p->top.digest),
				      .id = p->manifest.config.digest,
				      .artifacts = p->artifacts };
	int r = name_in_store(p, &result.name, err);

	result.top = (struct descriptor){ .media_type = p->top.media_type,
					  .digest = result.digest,
					  .size = p->top.len };
	if (r == 0 && !p->request->pass_on)
		r = artifacts_keep(p->store, &p->artifacts, err);
	if (r == 0 && !p->request->pass_on)
		r = refs_set(p->store, result.name, &result.top, err);
	if (r == 0)
		*ret = result;
	return r;
}

int transfer_pull(const struct roots *roots, const struct store *store, struct arena *arena,
		  const struct pull_request *request, struct pull_result *ret, struct err *err)
{
	struct pull p = { .roots = roots, .store = store, .arena = arena, .request = request };
	int r = get_image(&p, err);

	if (r == 0)
		r = set_name(&p, ret, err);
	if (r == 0)
		access_remember(arena, &p.meaning, &p.reference, &request->watch);
	session_free(p.session);
	return r;
}

int transfer_manifest(struct arena *arena, const struct pull_request *request,
		      const char **ret_text, size_t *ret_len, struct err *err)
{
	struct pull p = { .arena = arena, .request = request };
	int r = find_any_top(&p, err);

	session_free(p.session);
	if (r == 0) {
		*ret_text = p.top.text;
		*ret_len = p.top.len;
	}
	return r;
}
