/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/image.h"

#include "image/blob.h"
#include "spec/media_type.h"
#include "spec/reference.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

struct platform image_host_platform(struct arena *arena)
{
	struct utsname uts = { .machine = "" };
	struct platform platform;

	(void)uname(&uts);
	platform = platform_of_machine(uts.machine);
	/* One that is not known by another name keeps the kernel's, which is on our stack. */
	platform.architecture = arena_strdup(arena, platform.architecture);
	return platform;
}

char *image_short_id(const char *digest, char *buf)
{
	const char *hex = strchr(digest, ':');

	snprintf(buf, IMAGE_ID_SHORT + 1, "%s", hex ? hex + 1 : digest);
	return buf;
}

/* ---- from an entry to its documents ------------------------------------------------------------------------------- */

static int read_document(const struct store *store, struct arena *arena, const char *what,
			 const struct descriptor *of, size_t limit, char **ret_name,
			 char **ret_text, size_t *ret_len, struct err *err)
{
	int r;

	*ret_name = arena_printf(arena, "%s %s", what, of->digest);
	r = blob_read(store, arena, of->digest, limit, ret_text, ret_len, err);
	return r < 0 ? err_context(err, "read %s", *ret_name) : 0;
}

static int choose(const struct store *store, struct arena *arena, const struct descriptor *index,
		  const struct platform *wanted, struct descriptor *ret, struct err *err)
{
	struct image_index document;
	const struct descriptor *chosen;
	char platform[PLATFORM_TEXT_MAX];
	char *name, *text;
	size_t len;
	int r = read_document(store, arena, "index", index, IMAGE_MANIFEST_MAX_BYTES, &name, &text,
			      &len, err);

	if (r == 0)
		r = image_index_read(arena, name, text, len, &document, err);
	if (r < 0)
		return r;
	chosen = platform_choose(&document, wanted);
	if (!chosen) {
		platform_text(wanted, platform);
		return err_user_code(err, -ENOENT, "%s has no image for %s", name, platform);
	}
	*ret = *chosen;
	return 0;
}

/* Through indexes to the manifest */
static int find_manifest(const struct store *store, struct arena *arena,
			 const struct descriptor *entry, const struct platform *wanted,
			 struct descriptor *ret, struct err *err)
{
	*ret = *entry;
	for (int depth = 0; media_type_find(ret->media_type)->kind == MEDIA_INDEX; depth++) {
		int r;

		if (depth == IMAGE_INDEX_DEPTH_MAX)
			return err_user(err, "index %s: more than %d indexes in each other",
					entry->digest, IMAGE_INDEX_DEPTH_MAX);
		r = choose(store, arena, ret, wanted, ret, err);
		if (r < 0)
			return r;
	}
	if (media_type_find(ret->media_type)->kind != MEDIA_MANIFEST)
		return err_user(err, "%s is no image: it is of type \"%s\"", ret->digest,
				ret->media_type);
	return 0;
}

static int read_config(const struct store *store, struct arena *arena, struct image *image,
		       struct err *err)
{
	const struct descriptor *of = &image->manifest.config;
	char *name, *text;
	size_t len;
	int r;

	if (media_type_find(of->media_type)->kind != MEDIA_CONFIG)
		return err_user(err,
				"manifest %s is no image but an artifact: its config is of type "
				"\"%s\"",
				image->digest,
				image->manifest.artifact_type ? image->manifest.artifact_type
							      : of->media_type);
	r = read_document(store, arena, "config", of, IMAGE_CONFIG_MAX_BYTES, &name, &text, &len,
			  err);
	if (r == 0)
		r = image_config_read(arena, name, text, len, &image->config, err);
	if (r == 0 && image->config.diff_ids.n != image->manifest.layers.n)
		r = err_user(err, "manifest %s has %zu layers, but %s tells of %zu", image->digest,
			     image->manifest.layers.n, name, image->config.diff_ids.n);
	return r;
}

uint64_t image_size(const struct image_manifest *manifest)
{
	uint64_t sum = manifest->config.size;

	for (size_t i = 0; i < manifest->layers.n; i++) {
		if (__builtin_add_overflow(sum, manifest->layers.items[i].size, &sum))
			return UINT64_MAX;
	}
	return sum;
}

int image_load(const struct store *store, struct arena *arena, const struct descriptor *entry,
	       const struct platform *wanted, struct image *ret, struct err *err)
{
	struct image image = { .entry = *entry, .name = refs_name(entry) };
	struct descriptor manifest;
	char *name, *text;
	size_t len;
	int r = find_manifest(store, arena, entry, wanted, &manifest, err);

	if (r == 0)
		r = read_document(store, arena, "manifest", &manifest, IMAGE_MANIFEST_MAX_BYTES,
				  &name, &text, &len, err);
	if (r == 0)
		r = image_manifest_read(arena, name, text, len, &image.manifest, err);
	if (r < 0)
		return r;
	image.digest = manifest.digest;
	image.id = image.manifest.config.digest;
	image.size = image_size(&image.manifest);
	r = read_config(store, arena, &image, err);
	if (r == 0)
		*ret = image;
	return r;
}

/* ---- from what a person types to an entry ------------------------------------------------------------------------- */

/* What is looked for, and what was found. */
struct search {
	struct arena *arena;
	const char *text;
	const struct descriptor *found;
	const char *candidates; /* ", "-separated, once there is more than one */
	size_t n;
};

static const char *describe(const struct search *search, const struct descriptor *entry)
{
	const char *name = refs_name(entry);

	return name ? name : entry->digest;
}

/* Several names of one image are no choice. */
static void offer(struct search *search, const struct descriptor *entry)
{
	if (search->found && strcmp(search->found->digest, entry->digest) == 0)
		return;
	search->candidates = search->n ? arena_printf(search->arena, "%s, %s", search->candidates,
						      describe(search, entry))
				       : describe(search, entry);
	search->found = entry;
	search->n++;
}

static int settle(const struct search *search, struct descriptor *ret, struct err *err)
{
	if (search->n == 0)
		return -ENOENT;
	if (search->n > 1) {
		err_user(err, "\"%s\" could be one of %zu images", search->text, search->n);
		return err_hint(err, "%s", search->candidates);
	}
	*ret = *search->found;
	return 0;
}

static const struct descriptor *find_named(const struct image_index *index, const char *name)
{
	for (size_t i = 0; i < index->manifests.n; i++) {
		const char *has = refs_name(&index->manifests.items[i]);

		if (has && strcmp(has, name) == 0)
			return &index->manifests.items[i];
	}
	return NULL;
}

/* Is @full the same as the short name but for the registry (and docker.io's "library/")? */
static bool is_short_for(struct arena *arena, const struct reference *wanted, const char *full)
{
	struct err ignored = ERR_INIT;
	struct reference has;
	const char *path;

	if (reference_parse(arena, full, &has, &ignored) < 0 || !has.registry)
		return false;
	path = has.path;
	if (strcmp(path, wanted->path) != 0 && strncmp(path, "library/", 8) == 0)
		path += 8;
	return strcmp(path, wanted->path) == 0 && has.tag && wanted->tag &&
	       strcmp(has.tag, wanted->tag) == 0;
}

static void search_names(struct search *search, const struct image_index *index,
			 struct reference *wanted)
{
	/* Other tools write names without a registry into a layout. */
	const struct descriptor *exact = find_named(index, search->text);
	struct reference full;

	reference_complete(search->arena, wanted);
	full = *wanted;
	if (!full.registry)
		full.registry = REFERENCE_LOCAL_REGISTRY;
	if (!exact)
		exact = find_named(index, reference_text(search->arena, &full));
	if (exact) {
		offer(search, exact);
		return;
	}
	for (size_t i = 0; !wanted->registry && i < index->manifests.n; i++) {
		const char *name = refs_name(&index->manifests.items[i]);

		if (name && is_short_for(search->arena, wanted, name))
			offer(search, &index->manifests.items[i]);
	}
}

/* "name@sha256:...": the digest is what counts, whatever name the store has it by. */
static void search_digest(struct search *search, const struct image_index *index,
			  const char *digest)
{
	for (size_t i = 0; i < index->manifests.n; i++) {
		if (strcmp(index->manifests.items[i].digest, digest) == 0)
			offer(search, &index->manifests.items[i]);
	}
}

/* The digits of an id or the beginning of them, without "sha256:"; NULL if @text is none */
static const char *id_digits(const char *text)
{
	const char *hex = strncmp(text, "sha256:", 7) == 0 ? text + 7 : text;
	size_t len = strlen(hex);

	return len >= IMAGE_ID_MIN && len <= 64 && strspn(hex, "0123456789abcdef") == len ? hex
											  : NULL;
}

static bool begins_with_digits(const char *digest, const char *digits)
{
	return strncmp(digest, "sha256:", 7) == 0 &&
	       strncmp(digest + 7, digits, strlen(digits)) == 0;
}

/* An image that can't be read has no id, and must not keep others from being found. */
static void search_ids(const struct store *store, struct search *search,
		       const struct image_index *index, const char *digits)
{
	struct platform host = image_host_platform(search->arena);

	for (size_t i = 0; i < index->manifests.n; i++) {
		const struct descriptor *entry = &index->manifests.items[i];
		struct err ignored = ERR_INIT;
		struct image image;

		if (begins_with_digits(entry->digest, digits) ||
		    (image_load(store, search->arena, entry, &host, &image, &ignored) == 0 &&
		     (begins_with_digits(image.id, digits) ||
		      begins_with_digits(image.digest, digits))))
			offer(search, entry);
	}
}

int image_find_entry(const struct store *store, struct arena *arena, const char *text,
		     struct descriptor *ret, struct err *err)
{
	struct search search = { .arena = arena, .text = text };
	const char *digits = id_digits(text);
	struct reference wanted;
	struct image_index index;
	int r = refs_read(store, arena, &index, err);

	if (r < 0)
		return r;
	r = reference_parse(arena, text, &wanted, err);
	if (r < 0 && !digits)
		return r;
	if (r == 0 && wanted.digest)
		search_digest(&search, &index, wanted.digest);
	else if (r == 0)
		search_names(&search, &index, &wanted);
	if (search.n == 0 && digits)
		search_ids(store, &search, &index, digits);
	r = settle(&search, ret, err);
	if (r != -ENOENT)
		return r;
	err_user_code(err, -ENOENT, "image \"%s\" is not in the store", text);
	return err_hint(err, "tare images lists those that are");
}

int image_find(const struct store *store, struct arena *arena, const char *text,
	       const struct platform *wanted, struct image *ret, struct err *err)
{
	struct descriptor entry;
	int r = image_find_entry(store, arena, text, &entry, err);

	if (r < 0)
		return r;
	r = image_load(store, arena, &entry, wanted, ret, err);
	return r < 0 ? err_context(err, "read image \"%s\"", text) : 0;
}

void image_layer_steps(const struct image_config *config, const struct image_history **ret)
{
	size_t layer = config->diff_ids.n;

	for (size_t i = config->history.n; i > 0 && layer > 0; i--) {
		if (!config->history.items[i - 1].empty_layer)
			ret[--layer] = &config->history.items[i - 1];
	}
	while (layer > 0)
		ret[--layer] = NULL;
}
