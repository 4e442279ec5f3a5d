/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/check.h"

#include "image/blob.h"
#include "image/gc.h"
#include "image/layers.h"
#include "image/reach.h"
#include "image/refs.h"
#include "os/walk.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct check {
	const struct store *store;
	const struct check_options *options;
	struct arena *arena;
	struct check_result result;
	struct err *err;
};

static void found(struct check *c, struct check_finding finding)
{
	c->result.found++;
	c->result.repaired += finding.repaired;
	c->options->found(c->options->arg, &finding);
}

/* ---- blobs ------------------------------------------------------------------------------------------------------ */

static int remove_blob(struct check *c, int dir, const char *name)
{
	int r = gc_discard(c->store, dir, name);

	return r < 0 && r != -ENOENT ? err_set(c->err, r, "put the damaged blob \"%s\" aside", name)
				     : 0;
}

/* A name that is no digest is garbage, and gc says so. */
static int check_blob(struct check *c, int algorithm, const char *name)
{
	const char *digest = arena_printf(
		c->arena, "%s:%s", digest_algorithm_name((enum digest_algorithm)algorithm), name);
	enum digest_algorithm parsed;
	struct err err = ERR_INIT;
	const char *hex, *why;
	int r;

	if (digest_parse(digest, &parsed, &hex, &why) < 0)
		return 0;
	r = blob_verify(c->store, digest, &err);
	if (r == -ENOENT)
		return 0;
	c->result.blobs++;
	if (r == 0)
		return 0;
	/* A disk that can't read it is another matter than one that reads something else. */
	if (err.kind == ERR_SYSTEM && r != -EIO) {
		*c->err = err;
		return r;
	}
	if (c->options->repair)
		r = remove_blob(c, c->store->blobs[algorithm], name);
	else
		r = 0;
	found(c, (struct check_finding){ CHECK_BLOB_DAMAGED, digest, err.text,
					 "pull or load what needs it again",
					 c->options->repair && r == 0 });
	return r;
}

static int check_blobs(struct check *c)
{
	int r = 0;

	for (int i = 0; r == 0 && i < DIGEST_ALGORITHMS; i++) {
		char **names;
		size_t n;

		r = os_list(c->store->blobs[i], c->arena, &names, &n);
		if (r < 0)
			return err_set(c->err, r, "list the blobs");
		for (size_t k = 0; r == 0 && k < n; k++)
			r = check_blob(c, i, names[k]);
	}
	return r;
}

/* ---- references ------------------------------------------------------------------------------------------------- */

/* Nothing is left of an image whose manifest is gone but its name. */
static int drop_entries(struct check *c, const char *digest)
{
	struct image_index index;
	int r = refs_read(c->store, c->arena, &index, c->err);

	for (size_t i = 0; r == 0 && i < index.manifests.n; i++) {
		const struct descriptor *entry = &index.manifests.items[i];

		if (strcmp(entry->digest, digest) != 0)
			continue;
		r = refs_name(entry) ? refs_remove(c->store, refs_name(entry), c->err)
				     : refs_remove_unnamed(c->store, digest, c->err);
		r = r == -ENOENT ? 0 : r;
	}
	return r;
}

static int fault(void *arg, enum reach_fault fault, const char *digest, const char *by,
		 const struct err *why)
{
	struct check *c = arg;
	struct check_finding finding = {
		.kind = fault == REACH_MISSING ? CHECK_BLOB_MISSING : CHECK_UNUSABLE,
		.name = digest,
	};

	/* A damaged one was reported as a blob. */
	if (fault == REACH_UNUSABLE && why->code == -EIO)
		return 0;
	if (fault == REACH_MISSING)
		finding.text =
			arena_printf(c->arena, "%s names blob %s, which is not there", by, digest);
	else if (fault == REACH_UNUSABLE)
		finding.text = why->text;
	else
		finding.text =
			arena_printf(c->arena, "%s names \"%s\", which is no digest", by, digest);
	if (fault == REACH_MISSING && strcmp(by, STORE_INDEX) == 0 && c->options->repair)
		finding.repaired = drop_entries(c, digest) == 0;
	finding.hint = finding.repaired ? NULL : "pull or load the image again, or remove it";
	found(c, finding);
	return 0;
}

/* ---- layers ----------------------------------------------------------------------------------------------------- */

struct first_difference {
	struct arena *arena;
	const char *text;
};

static int keep_first(void *arg, enum compare_change change, const char *path, int differs)
{
	static const char *const words[] = { "has", "has another", "lacks" };
	struct first_difference *first = arg;

	if (!first->text)
		first->text = arena_printf(first->arena, "%s \"/%s\"", words[change], path);
	return 0;
}

/* "sha256-HEX" -> "sha256:HEX" */
static const char *diff_id_of(struct arena *arena, const char *name)
{
	char *diff_id = arena_strdup(arena, name), *dash = strchr(diff_id, '-');

	if (dash)
		*dash = ':';
	return diff_id;
}

static int check_layer(struct check *c, const char *name, const char *blob)
{
	struct first_difference first = { .arena = c->arena };
	struct layer_request request = {
		.blob = blob,
		.diff_id = diff_id_of(c->arena, name),
		.limit = INT64_MAX, /* it was unpacked before */
		.options = { c->options->user_xattrs, c->options->may_skip },
	};
	struct err err = ERR_INIT;
	int r;

	c->result.layers++;
	if (!blob) {
		found(c, (struct check_finding){
				 CHECK_LAYER_UNKNOWN, name,
				 arena_printf(c->arena, "layer %s has no blob to compare it with",
					      name),
				 NULL, false });
		return 0;
	}
	r = layers_verify(c->store, &request, c->options->repair, keep_first, &first, &err);
	if (r == 1)
		found(c, (struct check_finding){
				 CHECK_LAYER_DIFFERS, name,
				 arena_printf(c->arena, "layer %s %s", name, first.text), NULL,
				 c->options->repair });
	/* A blob that is damaged or missing has been reported. */
	if (r >= 0 || r == -ENOENT || r == -EIO)
		return 0;
	if (err.kind == ERR_SYSTEM) {
		*c->err = err;
		return r;
	}
	found(c, (struct check_finding){ CHECK_UNUSABLE, name, err.text, NULL, false });
	return 0;
}

/* Whoever needs a copy makes it anew, so one that is wrong just goes. */
static int found_mapped(struct check *c, enum check_kind kind, const char *name, const char *text)
{
	int r = c->options->repair ? gc_discard(c->store, c->store->layers, name) : -EBUSY;

	found(c, (struct check_finding){ kind, name, text, NULL, r == 0 });
	return c->options->repair && r < 0 && r != -ENOENT
		       ? err_set(c->err, r, "put the damaged layer \"%s\" aside", name)
		       : 0;
}

/* A copy of a layer for other ids: the same content, and those ids. */
static int check_mapped(struct check *c, const char *name)
{
	struct first_difference first = { .arena = c->arena };
	char plain[LAYER_NAME_MAX];
	struct err err = ERR_INIT;
	int r = layers_verify_mapped(c->store, name, keep_first, &first, &err), there;

	c->result.layers++;
	if (r == 0)
		return 0;
	if (r == 1)
		return found_mapped(c, CHECK_LAYER_DIFFERS, name,
				    arena_printf(c->arena, "layer %s %s", name, first.text));
	if (r == -ENOENT) {
		there = layers_have(c->store, layers_name_of(name, plain), c->err);
		/* Then the copy has gone meanwhile. */
		if (there != 0)
			return there < 0 ? there : 0;
		return found_mapped(c, CHECK_LAYER_UNKNOWN, name,
				    arena_printf(c->arena,
						 "layer %s is a copy of one that is not there",
						 name));
	}
	if (err.kind == ERR_USER)
		return found_mapped(c, CHECK_UNUSABLE, name, arena_strdup(c->arena, err.text));
	*c->err = err;
	return r;
}

/* Copies after what they are copies of, which may have been repaired. */
static int check_layers(struct check *c, const struct reach *reach)
{
	char **names, plain[LAYER_NAME_MAX];
	size_t n;
	int r = os_list(c->store->layers, c->arena, &names, &n);

	if (r < 0)
		return err_set(c->err, r, "list \"layers\"");
	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct string_map_entry *entry = string_map_find(&reach->layers, names[i]);

		if (entry)
			r = check_layer(c, names[i], entry->value);
	}
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (strchr(names[i], '+') &&
		    string_map_find(&reach->layers, layers_name_of(names[i], plain)))
			r = check_mapped(c, names[i]);
	}
	return r;
}

/* ---- garbage ---------------------------------------------------------------------------------------------------- */

static void garbage(void *arg, enum gc_kind kind, const char *name, uint64_t bytes)
{
	static const char *const words[] = { "blob", "layer", "half-written", "artifact" };
	struct check *c = arg;

	found(c, (struct check_finding){
			 CHECK_GARBAGE, name,
			 arena_printf(c->arena, "nobody needs %s %s", words[kind], name), NULL,
			 c->options->repair });
}

/* What can't be read makes that impossible; it has been reported. */
static int check_garbage(struct check *c)
{
	const struct gc_options options = { .dry_run = !c->options->repair,
					    .gone = garbage,
					    .arg = c };
	struct gc_result result = { 0 };
	struct err err = ERR_INIT;
	int r = gc_collect(c->store, &options, &result, &err);

	c->result.garbage_bytes = result.bytes;
	if (r < 0 && (r == -EIO || err.kind == ERR_USER))
		return 0;
	if (r < 0)
		*c->err = err;
	return r;
}

int check_store(const struct store *store, const struct check_options *options,
		struct check_result *ret, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	struct check c = { .store = store, .options = options, .arena = &arena, .err = err };
	struct reach reach;
	int r;

	reach_init(&reach, store, &arena);
	reach.fault = fault;
	reach.arg = &c;
	r = check_blobs(&c);
	if (r == 0)
		r = reach_all(&reach, err);
	if (r == 0)
		r = check_layers(&c, &reach);
	if (r == 0)
		r = check_garbage(&c);
	*ret = c.result;
	return r < 0 ? err_context(err, "check the store") : 0;
}
