/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk goes by a list and not by recursion: how deep indexes are nested is for strangers to say. It ends because each
 * digest is looked at once.
 */
#include "image/reach.h"

#include "base/json.h"
#include "image/blob.h"
#include "image/layers.h"
#include "image/lease.h"
#include "image/refs.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/walk.h"
#include "spec/media_type.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

/* Something to be looked at. */
struct pending {
	struct pending *next;
	const char *digest, *by;
	enum media_kind kind; /* MEDIA_OTHER: to be found out */
	bool may_miss;
};

struct visit {
	struct reach *reach;
	struct pending *pending;
	struct artifact_list artifacts; /* that index.json lists: needed if their subject is */
	struct err *err;
};

void reach_init(struct reach *reach, const struct store *store, struct arena *arena)
{
	*reach = (struct reach){
		.store = store,
		.arena = arena,
		.blobs.arena = arena,
		.layers.arena = arena,
		.orphans.arena = arena,
	};
}

/* ---- what is wrong ---------------------------------------------------------------------------------------------- */

static int missing(struct visit *v, const struct pending *what)
{
	struct reach *reach = v->reach;
	int r = reach->fault ? reach->fault(reach->arg, REACH_MISSING, what->digest, what->by, NULL)
			     : 0;

	return r < 0 ? err_set(v->err, r, "look at blob %s", what->digest) : 0;
}

/* Nobody can tell what it needs, so to go on would be to take everything of it for garbage. */
static int unusable(struct visit *v, const struct pending *what, const struct err *why)
{
	struct reach *reach = v->reach;
	int r = why->code;

	if (reach->fault)
		r = reach->fault(reach->arg, REACH_UNUSABLE, what->digest, what->by, why);
	if (r < 0) {
		*v->err = *why;
		return err_context(v->err, "find out what \"%s\" needs", what->by);
	}
	return 0;
}

static int no_digest(struct visit *v, const char *text, const char *by)
{
	struct reach *reach = v->reach;
	int r = reach->fault ? reach->fault(reach->arg, REACH_NO_DIGEST, text, by, NULL) : -EINVAL;

	return r < 0 ? err_user(v->err, "what \"%s\" needs is no digest: \"%s\"", by, text) : 0;
}

/* ---- the list --------------------------------------------------------------------------------------------------- */

static void add(struct visit *v, const char *digest, const char *by, enum media_kind kind,
		bool may_miss)
{
	struct pending *what = arena_alloc(v->reach->arena, sizeof(*what));

	*what = (struct pending){ .next = v->pending,
				  .digest = arena_strdup(v->reach->arena, digest),
				  .by = by,
				  .kind = kind,
				  .may_miss = may_miss };
	v->pending = what;
}

static int add_checked(struct visit *v, const char *digest, const char *by, bool may_miss)
{
	enum digest_algorithm algorithm;
	const char *hex, *why;

	if (digest_parse(digest, &algorithm, &hex, &why) < 0)
		return no_digest(v, digest, by);
	add(v, digest, by, MEDIA_OTHER, may_miss);
	return 0;
}

static void add_descriptor(struct visit *v, const struct descriptor *what, const char *by,
			   bool may_miss)
{
	const struct media_type *type = media_type_find(what->media_type);

	add(v, what->digest, by, type->kind, may_miss || type->foreign);
}

/* ---- documents -------------------------------------------------------------------------------------------------- */

static int take_index(struct visit *v, const struct pending *what, const char *text, size_t len)
{
	struct err err = ERR_INIT;
	struct image_index index;

	if (image_index_read(v->reach->arena, what->digest, text, len, &index, &err) < 0)
		return unusable(v, what, &err);
	for (size_t i = 0; i < index.manifests.n; i++)
		add_descriptor(v, &index.manifests.items[i], what->digest, true);
	return 0;
}

/* The directories of its layers; their order in config and manifest is the same. */
static int take_config(struct visit *v, const struct image_manifest *manifest, const char *by)
{
	struct pending what = { .digest = manifest->config.digest, .by = by };
	struct reach *reach = v->reach;
	struct err err = ERR_INIT;
	struct image_config config;
	char *text;
	size_t len;
	int r;

	if (media_type_find(manifest->config.media_type)->kind != MEDIA_CONFIG)
		return 0;
	r = blob_read(reach->store, reach->arena, what.digest, IMAGE_CONFIG_MAX_BYTES, &text, &len,
		      &err);
	if (r == -ENOENT)
		return 0; /* the list has it, and says so */
	if (r == 0)
		r = image_config_read(reach->arena, what.digest, text, len, &config, &err);
	if (r < 0)
		return unusable(v, &what, &err);
	for (size_t i = 0; i < config.diff_ids.n; i++) {
		char name[LAYER_NAME_MAX];
		struct string_map_entry *entry;

		r = layers_name(config.diff_ids.items[i], name);
		if (r < 0)
			return no_digest(v, config.diff_ids.items[i], what.digest);
		if (!string_map_add(&reach->layers, name, NULL) || i >= manifest->layers.n)
			continue;
		entry = string_map_find(&reach->layers, name);
		entry->value = (void *)(uintptr_t)manifest->layers.items[i].digest;
	}
	return 0;
}

static int take_manifest(struct visit *v, const struct pending *what, const char *text, size_t len)
{
	struct err err = ERR_INIT;
	struct image_manifest manifest;

	if (image_manifest_read(v->reach->arena, what->digest, text, len, &manifest, &err) < 0)
		return unusable(v, what, &err);
	add_descriptor(v, &manifest.config, what->digest, false);
	for (size_t i = 0; i < manifest.layers.n; i++)
		add_descriptor(v, &manifest.layers.items[i], what->digest, false);
	return take_config(v, &manifest, what->digest);
}

/* A lease and an entry of a type that we don't know may be anything. */
static enum media_kind find_out(struct arena *arena, const char *text, size_t len)
{
	const struct json *root;
	struct err err = ERR_INIT;

	if (!len || text[0] != '{' || json_parse(arena, text, len, &root, &err) < 0)
		return MEDIA_OTHER;
	if (json_member(root, "manifests"))
		return MEDIA_INDEX;
	return json_member(root, "layers") && json_member(root, "config") ? MEDIA_MANIFEST
									  : MEDIA_OTHER;
}

static int take_document(struct visit *v, const struct pending *what)
{
	struct reach *reach = v->reach;
	enum media_kind kind = what->kind;
	struct err err = ERR_INIT;
	uint64_t size;
	char *text;
	size_t len;
	int fd = blob_open(reach->store, what->digest, &size, &err);

	if (fd == -ENOENT)
		return what->may_miss ? 0 : missing(v, what);
	if (fd < 0)
		return unusable(v, what, &err);
	defer_close_fn(&fd);
	if (kind == MEDIA_OTHER ? size > IMAGE_MANIFEST_MAX_BYTES
				: kind != MEDIA_INDEX && kind != MEDIA_MANIFEST)
		return 0;
	if (blob_read(reach->store, reach->arena, what->digest, IMAGE_MANIFEST_MAX_BYTES, &text,
		      &len, &err) < 0)
		return unusable(v, what, &err);
	if (kind == MEDIA_OTHER)
		kind = find_out(reach->arena, text, len);
	if (kind == MEDIA_INDEX)
		return take_index(v, what, text, len);
	return kind == MEDIA_MANIFEST ? take_manifest(v, what, text, len) : 0;
}

/* Something that may be missing for one may be needed by another; so each is looked at twice at most. */
static bool is_to_be_taken(struct string_map *seen, const struct pending *what)
{
	static char needed;
	void *mark = what->may_miss ? NULL : &needed;
	struct string_map_entry *entry;

	if (string_map_add(seen, what->digest, mark))
		return true;
	entry = string_map_find(seen, what->digest);
	if (!mark || entry->value)
		return false;
	entry->value = mark;
	return true;
}

static int take_all(struct visit *v)
{
	int r = 0;

	while (r == 0 && v->pending) {
		const struct pending *what = v->pending;

		v->pending = what->next;
		if (is_to_be_taken(&v->reach->blobs, what))
			r = take_document(v, what);
	}
	return r;
}

/* ---- where it begins -------------------------------------------------------------------------------------------- */

static int add_entries(struct visit *v)
{
	struct image_index index;
	int r = refs_read(v->reach->store, v->reach->arena, &index, v->err);

	if (r < 0)
		return r;
	artifacts_listed(v->reach->store, v->reach->arena, &index, &v->artifacts);
	for (size_t i = 0; i < index.manifests.n; i++) {
		const struct descriptor *entry = &index.manifests.items[i];

		if (refs_name(entry) || !artifacts_has(&v->artifacts, entry->digest))
			add_descriptor(v, entry, STORE_INDEX, false);
	}
	return 0;
}

/* From what is needed to what refers to it, and to what refers to that. */
static int take_artifacts(struct visit *v)
{
	struct reach *reach = v->reach;
	bool more = true;
	int r = 0;

	while (r == 0 && more) {
		more = false;
		for (size_t i = 0; r == 0 && i < v->artifacts.n; i++) {
			const struct artifact *one = &v->artifacts.items[i];

			if (string_map_find(&reach->blobs, one->manifest.digest) ||
			    !string_map_find(&reach->blobs, one->subject))
				continue;
			add_descriptor(v, &one->manifest, STORE_INDEX, false);
			r = take_all(v);
			more = true;
		}
	}
	for (size_t i = 0; i < v->artifacts.n; i++) {
		const char *digest = v->artifacts.items[i].manifest.digest;

		if (!string_map_find(&reach->blobs, digest))
			string_map_add(&reach->orphans, digest, NULL);
	}
	return r;
}

static int add_container(struct visit *v, int containers, const char *id)
{
	char path[300], digest[DIGEST_TEXT_MAX + 1];
	ssize_t n;

	if ((size_t)snprintf(path, sizeof(path), "%s/" LEASE_IMAGE, id) >= sizeof(path))
		return 0;
	n = os_read_at(containers, path, digest, sizeof(digest));
	/* Of no image, or not made yet: then it has a lease. */
	if (n == -ENOENT || n == -ENOTDIR)
		return 0;
	if (n < 0)
		return err_set(v->err, (int)n, "read \"" LEASE_CONTAINERS "/%s\"", path);
	return add_checked(v, digest, arena_printf(v->reach->arena, "container %s", id), false);
}

static int add_containers(struct visit *v)
{
	defer_close int dir = openat(v->reach->store->root, LEASE_CONTAINERS,
				     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char **names;
	size_t n;
	int r;

	if (dir < 0)
		return errno == ENOENT ? 0 : err_sys(v->err, "open \"" LEASE_CONTAINERS "\"");
	r = os_list(dir, v->reach->arena, &names, &n);
	if (r < 0)
		return err_set(v->err, r, "list \"" LEASE_CONTAINERS "\"");
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_container(v, dir, names[i]);
	return r;
}

static int add_lease_line(struct visit *v, char *line, const char *by)
{
	if (!strncmp(line, LEASE_BLOB, strlen(LEASE_BLOB)))
		return add_checked(v, line + strlen(LEASE_BLOB), by, true);
	if (!strncmp(line, LEASE_LAYER, strlen(LEASE_LAYER)))
		string_map_add(&v->reach->layers, line + strlen(LEASE_LAYER), NULL);
	return 0;
}

/* Only one whose owner lives; its last line is whole, since it was written under the lock. */
static int add_lease(struct visit *v, const char *name)
{
	defer_close int fd =
		openat(v->reach->store->staging, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	const char *by = "a lease";
	char *text, *line;
	size_t len;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(v->err, "open \"staging/%s\"", name);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	r = os_file_read(v->reach->arena, fd, LEASE_MAX_BYTES, &text, &len);
	if (r < 0)
		return err_set(v->err, r, "read \"staging/%s\"", name);
	while (r == 0 && (line = strsep(&text, "\n")) && *line)
		r = add_lease_line(v, line, by);
	return r;
}

static int add_leases(struct visit *v)
{
	char **names;
	size_t n;
	int r = os_list(v->reach->store->staging, v->reach->arena, &names, &n);

	if (r < 0)
		return err_set(v->err, r, "list \"staging\"");
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (!strncmp(names[i], LEASE_PREFIX, strlen(LEASE_PREFIX)))
			r = add_lease(v, names[i]);
	}
	return r;
}

int reach_all(struct reach *reach, struct err *err)
{
	struct visit v = { .reach = reach, .err = err };
	int r = add_entries(&v);

	if (r == 0)
		r = add_containers(&v);
	if (r == 0)
		r = add_leases(&v);
	if (r == 0)
		r = take_all(&v);
	return r == 0 ? take_artifacts(&v) : r;
}

int reach_image(struct reach *reach, const char *digest, const char *by, struct err *err)
{
	struct visit v = { .reach = reach, .err = err };
	int r = add_checked(&v, digest, by, false);

	return r == 0 ? take_all(&v) : r;
}
