/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * index.json is edited as a document and not as a struct: entries are copied value by value, so that nothing of another
 * tool's is lost on the way.
 */
#include "image/refs.h"

#include "base/json_write.h"
#include "os/file.h"
#include "spec/media_type.h"

#include <fcntl.h>
#include <string.h>

static int read_text(const struct store *store, struct arena *arena, char **ret_text,
		     size_t *ret_len, struct err *err)
{
	defer_close int fd = openat(store->images, STORE_INDEX, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int r;

	if (fd < 0)
		return err_sys(err, "open \"images/" STORE_INDEX "\"");
	r = os_file_read(arena, fd, REFS_MAX_BYTES, ret_text, ret_len);
	return r < 0 ? err_set(err, r, "read \"images/" STORE_INDEX "\"") : 0;
}

int refs_read(const struct store *store, struct arena *arena, struct image_index *ret,
	      struct err *err)
{
	char *text;
	size_t len;
	int r = read_text(store, arena, &text, &len, err);

	return r < 0 ? r : image_index_read(arena, STORE_INDEX, text, len, ret, err);
}

const char *refs_name(const struct descriptor *entry)
{
	for (size_t i = 0; i < entry->annotations.n; i++) {
		if (!strcmp(entry->annotations.items[i].key, REF_NAME_ANNOTATION))
			return entry->annotations.items[i].value;
	}
	return NULL;
}

static int not_there(const char *name, struct err *err)
{
	return err_user_code(err, -ENOENT, "image \"%s\" is not in the store", name);
}

int refs_find(const struct store *store, struct arena *arena, const char *name,
	      struct descriptor *ret, struct err *err)
{
	struct image_index index;
	int r = refs_read(store, arena, &index, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < index.manifests.n; i++) {
		const char *has = refs_name(&index.manifests.items[i]);

		if (has && !strcmp(has, name)) {
			*ret = index.manifests.items[i];
			return 0;
		}
	}
	return not_there(name, err);
}

/* ---- editing ---------------------------------------------------------------------------------------------------- */

/* What is to be done to index.json. */
struct edit {
	const char *name;    /* whose entry is removed or loses its name; NULL: none */
	const char *unnamed; /* digest of the entry without a name to be removed; NULL: none */
	const struct string_map *dropped; /* of entries without a name to be removed; NULL */
	const struct descriptor *target;  /* gets the name; NULL: nobody */
	const struct json *entries;       /* as they are now */
	bool found;
};

static const char *name_of(const struct json *entry)
{
	return json_string(json_member(json_member(entry, "annotations"), REF_NAME_ANNOTATION));
}

static bool has_digest(const struct json *entry, const char *digest)
{
	const char *has = json_string(json_member(entry, "digest"));

	return has && !strcmp(has, digest);
}

/* Does the image of @entry have another entry, or is it the one that gets the name? */
static bool is_elsewhere(const struct edit *edit, const struct json *entry)
{
	const char *digest = json_string(json_member(entry, "digest"));
	const struct json *other;

	if (has_digest(entry, edit->target->digest))
		return true;
	json_each(other, edit->entries) {
		if (other != entry && has_digest(other, digest))
			return true;
	}
	return false;
}

static bool is_dropped(struct edit *edit, const struct json *entry)
{
	const char *name = name_of(entry);

	if (!name && edit->unnamed && has_digest(entry, edit->unnamed))
		return edit->found = true;
	if (!name && edit->dropped)
		return string_map_find(edit->dropped, json_string(json_member(entry, "digest")));
	/* An image that gets a name needs no entry without one. */
	if (!name && edit->target && has_digest(entry, edit->target->digest))
		return true;
	if (!name || !edit->name || strcmp(name, edit->name) != 0)
		return false;
	edit->found = true;
	return !edit->target || is_elsewhere(edit, entry);
}

/* The same annotations but for the name. */
static void write_annotations(struct json_writer *w, const struct json *annotations)
{
	const struct json *member;

	json_object_begin(w, "annotations");
	json_each(member, annotations) {
		if (strcmp(member->key, REF_NAME_ANNOTATION) != 0)
			json_add_value(w, member->key, member);
	}
	json_object_end(w);
}

static void write_entry(struct json_writer *w, const struct edit *edit, const struct json *entry)
{
	const char *name = name_of(entry);
	const struct json *member;

	if (!name || !edit->name || strcmp(name, edit->name) != 0) {
		json_add_value(w, NULL, entry);
		return;
	}
	json_object_begin(w, NULL);
	json_each(member, entry) {
		if (strcmp(member->key, "annotations") == 0)
			write_annotations(w, member);
		else
			json_add_value(w, member->key, member);
	}
	json_object_end(w);
}

static void add_if(struct json_writer *w, const char *key, const char *value)
{
	if (value)
		json_add_string(w, key, value);
}

static void write_platform(struct json_writer *w, const struct platform *platform)
{
	json_object_begin(w, "platform");
	add_if(w, "architecture", platform->architecture);
	add_if(w, "os", platform->os);
	add_if(w, "os.version", platform->os_version);
	add_if(w, "variant", platform->variant);
	json_object_end(w);
}

static void write_target(struct json_writer *w, const struct edit *edit)
{
	const struct descriptor *target = edit->target;

	json_object_begin(w, NULL);
	json_add_string(w, "mediaType", target->media_type);
	json_add_string(w, "digest", target->digest);
	json_add_u64(w, "size", target->size);
	if (target->platform.set)
		write_platform(w, &target->platform);
	add_if(w, "artifactType", target->artifact_type);
	if (edit->name) {
		json_object_begin(w, "annotations");
		json_add_string(w, REF_NAME_ANNOTATION, edit->name);
		json_object_end(w);
	}
	json_object_end(w);
}

/* Has the target an entry that stays? */
static bool is_listed(const struct edit *edit)
{
	const struct json *entry;

	json_each(entry, edit->entries) {
		if (name_of(entry) && has_digest(entry, edit->target->digest))
			return true;
	}
	return false;
}

static void write_entries(struct json_writer *w, struct edit *edit)
{
	const struct json *entry;

	json_array_begin(w, "manifests");
	json_each(entry, edit->entries) {
		if (!is_dropped(edit, entry))
			write_entry(w, edit, entry);
	}
	if (edit->target && (edit->name || !is_listed(edit)))
		write_target(w, edit);
	json_array_end(w);
}

static int write_index(const struct store *store, struct arena *arena, const struct json *root,
		       struct edit *edit, struct err *err)
{
	const struct json *member;
	struct json_writer w;
	char *text;
	size_t len;
	int r;

	json_writer_init(&w, arena, 2);
	json_object_begin(&w, NULL);
	json_each(member, root) {
		if (member == edit->entries)
			write_entries(&w, edit);
		else
			json_add_value(&w, member->key, member);
	}
	json_object_end(&w);
	text = json_writer_text(&w, &len);
	if (len > REFS_MAX_BYTES)
		return err_user(err, "\"images/" STORE_INDEX "\" would be larger than %zu bytes",
				REFS_MAX_BYTES);
	r = os_file_replace_durable_at(store->images, STORE_INDEX, STORE_TEMPORARY, text, len,
				       0600);
	return r < 0 ? err_set(err, r, "write \"images/" STORE_INDEX "\"") : 0;
}

/* Under the lock. */
static int edit_index(const struct store *store, struct edit *edit, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	struct image_index checked;
	const struct json *root;
	char *text;
	size_t len;
	int r;

	r = read_text(store, &arena, &text, &len, err);
	if (r == 0)
		r = image_index_read(&arena, STORE_INDEX, text, len, &checked, err);
	if (r == 0)
		r = json_parse(&arena, text, len, &root, err);
	if (r < 0)
		return r;
	edit->entries = json_member(root, "manifests");
	return write_index(store, &arena, root, edit, err);
}

static int apply(const struct store *store, struct edit *edit, struct err *err)
{
	int r = store_lock(store, err);

	if (r < 0)
		return r;
	r = edit_index(store, edit, err);
	store_unlock(store);
	return r;
}

int refs_set(const struct store *store, const char *name, const struct descriptor *target,
	     struct err *err)
{
	struct edit edit = { .name = name, .target = target };

	return apply(store, &edit, err);
}

int refs_remove(const struct store *store, const char *name, struct err *err)
{
	struct edit edit = { .name = name };
	int r = apply(store, &edit, err);

	return r == 0 && !edit.found ? not_there(name, err) : r;
}

int refs_drop(const struct store *store, const struct string_map *digests, struct err *err)
{
	struct edit edit = { .dropped = digests };

	return edit_index(store, &edit, err);
}

int refs_remove_unnamed(const struct store *store, const char *digest, struct err *err)
{
	struct edit edit = { .unnamed = digest };
	int r = apply(store, &edit, err);

	return r == 0 && !edit.found ? not_there(digest, err) : r;
}
