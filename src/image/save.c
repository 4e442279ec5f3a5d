/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/save.h"

#include "base/json_write.h"
#include "base/string_map.h"
#include "image/archive_sink.h"
#include "image/blob.h"
#include "os/file.h"
#include "spec/image_write.h"
#include "spec/media_type.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define CONTAINERD_NAME "io.containerd.image.name"
#define TEMPORARY       ".tare-new"
#define LAYOUT_TEXT     "{\"imageLayoutVersion\":\"1.0.0\"}"

/* Where files go: a tar, or a directory. */
struct save {
	const struct store *store;
	struct arena *arena;
	const struct save_list *images;
	struct err *err;
	struct string_map written; /* digests of blobs */
	/* begin() - a file of that size; write() - its bytes, all of them; end() - that was all */
	int (*begin)(struct save *s, const char *path, uint64_t size);
	int (*write)(struct save *s, const void *bytes, size_t len);
	int (*end)(struct save *s);
	struct archive *archive; /* of a tar */
	struct archive_entry *entry;
	struct archive_sink sink;
	int dir, file; /* of a directory */
	const char *path;
	const struct json *there; /* "manifests" of its index.json; NULL */
};

/* ---- a tar ------------------------------------------------------------------------------------------------------ */

static int not_written(struct save *s)
{
	return archive_sink_failed(&s->sink, s->archive, "write the tar");
}

static int tar_begin(struct save *s, const char *path, uint64_t size)
{
	archive_entry_clear(s->entry);
	archive_entry_set_pathname(s->entry, path);
	archive_entry_set_mode(s->entry, S_IFREG | 0644);
	archive_entry_set_size(s->entry, (la_int64_t)size);
	archive_entry_set_mtime(s->entry, 0, 0);
	return archive_write_header(s->archive, s->entry) == ARCHIVE_OK ? 0 : not_written(s);
}

static int tar_write(struct save *s, const void *bytes, size_t len)
{
	return archive_write_data(s->archive, bytes, len) == (la_ssize_t)len ? 0 : not_written(s);
}

static int tar_end(struct save *s)
{
	return archive_write_finish_entry(s->archive) == ARCHIVE_OK ? 0 : not_written(s);
}

/* ---- a directory ------------------------------------------------------------------------------------------------ */

static int dir_begin(struct save *s, const char *path, uint64_t size)
{
	char *parent = arena_strdup(s->arena, path);

	for (char *slash = strchr(parent, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(s->dir, parent, 0755) < 0 && errno != EEXIST)
			return err_sys(s->err, "make \"%s\"", parent);
		*slash = '/';
	}
	s->path = arena_strdup(s->arena, path);
	s->file = openat(s->dir, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			 0644);
	return s->file < 0 ? err_sys(s->err, "make \"" TEMPORARY "\" for \"%s\"", path) : 0;
}

static int dir_write(struct save *s, const void *bytes, size_t len)
{
	int r = os_write_all(s->file, bytes, len);

	return r < 0 ? err_set(s->err, r, "write") : 0;
}

/* What is named by its digest is flushed with all the rest, before index.json gets its name; and that is the end. */
static int dir_end(struct save *s)
{
	defer_close_fn(&s->file);
	s->file = -EBADF;
	if (!strcmp(s->path, STORE_INDEX) && syncfs(s->dir) < 0)
		return err_sys(s->err, "flush the layout to the disk");
	return renameat(s->dir, TEMPORARY, s->dir, s->path) < 0
		       ? err_sys(s->err, "name \"%s\"", s->path)
		       : 0;
}

/* A blob of that size is there already: another copy left it, and its name says what it is. */
static bool dir_has(const struct save *s, const char *path, uint64_t size)
{
	struct stat st;

	return !s->archive && fstatat(s->dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && (uint64_t)st.st_size == size;
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static int put_text(struct save *s, const char *path, const char *text, size_t len)
{
	int r = s->begin(s, path, len);

	if (r == 0)
		r = s->write(s, text, len);
	return r == 0 ? s->end(s) : r;
}

static const char *blob_path(struct save *s, const char *digest)
{
	char *path = arena_printf(s->arena, "blobs/%s", digest);

	*strchr(path, ':') = '/';
	return path;
}

/* What has rotted must not be handed on. */
static int put_content(struct save *s, int fd, const char *digest)
{
	static char buffer[128 * 1024];
	char found[DIGEST_TEXT_MAX];
	struct hash hash;
	ssize_t n;
	int r = hash_init_like(&hash, digest);

	while (r == 0 && (n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(s->err, "read blob %s", digest);
		hash_add(&hash, buffer, (size_t)n);
		r = s->write(s, buffer, (size_t)n);
	}
	if (r < 0)
		return r;
	hash_digest(&hash, found);
	return strcmp(found, digest) == 0 ? 0 : blob_damaged(digest, found, s->err);
}

static int put_blob(struct save *s, const char *digest)
{
	uint64_t size;
	defer_close int fd = -EBADF;
	int r;

	if (!string_map_add(&s->written, digest, NULL))
		return 0;
	fd = blob_open(s->store, digest, &size, s->err);
	if (fd < 0)
		return fd;
	if (dir_has(s, blob_path(s, digest), size))
		return 0;
	r = s->begin(s, blob_path(s, digest), size);
	if (r == 0)
		r = put_content(s, fd, digest);
	return r == 0 ? s->end(s) : r;
}

static int put_image(struct save *s, const struct image *image)
{
	int r = put_blob(s, image->digest);

	if (r == 0)
		r = put_blob(s, image->id);
	for (size_t i = 0; r == 0 && i < image->manifest.layers.n; i++)
		r = put_blob(s, image->manifest.layers.items[i].digest);
	return r;
}

/* Its manifest, its config and what it consists of. */
static int put_artifact(struct save *s, const struct descriptor *of)
{
	struct image_manifest manifest;
	char *text;
	size_t len;
	int r = blob_read(s->store, s->arena, of->digest, IMAGE_MANIFEST_MAX_BYTES, &text, &len,
			  s->err);

	if (r == 0)
		r = image_manifest_read(s->arena, of->digest, text, len, &manifest, s->err);
	if (r == 0)
		r = put_blob(s, of->digest);
	if (r == 0)
		r = put_blob(s, manifest.config.digest);
	for (size_t i = 0; r == 0 && i < manifest.layers.n; i++)
		r = put_blob(s, manifest.layers.items[i].digest);
	return r < 0 ? err_context(s->err, "%s, which refers to an image", of->digest) : 0;
}

/* ---- what names them -------------------------------------------------------------------------------------------- */

static int entry_of(struct save *s, size_t i, struct descriptor *ret)
{
	const struct image *image = &s->images->items[i];
	const char *name = s->images->names[i];
	const struct key_value names[] = { { CONTAINERD_NAME, name },
					   { REF_NAME_ANNOTATION, name } };
	uint64_t size;
	int fd = blob_open(s->store, image->digest, &size, s->err);

	if (fd < 0)
		return fd;
	defer_close_fn(&fd);
	*ret = (struct descriptor){
		.media_type = image->manifest.media_type ? image->manifest.media_type
							 : MEDIA_OCI_MANIFEST,
		.digest = image->digest,
		.size = size,
		.platform = image->config.platform,
	};
	ret->platform.set = true;
	if (name) {
		ret->annotations.items =
			memcpy(arena_alloc(s->arena, sizeof(names)), names, sizeof(names));
		ret->annotations.n = ARRAY_LEN(names);
	}
	if (name && s->images->tags) {
		ret->annotations.items++;
		ret->annotations.n--;
	}
	return 0;
}

/* Does an entry that is there stay: not if its name moves on, or if it is nothing but the same image without one. */
static bool stays(const struct save *s, const struct json *entry)
{
	const char *name =
		json_string(json_member(json_member(entry, "annotations"), REF_NAME_ANNOTATION));
	const char *digest = json_string(json_member(entry, "digest"));

	for (size_t i = 0; i < s->images->n; i++) {
		const char *ours = s->images->names[i];

		if (name ? ours && !strcmp(name, ours)
			 : digest && !strcmp(digest, s->images->items[i].digest))
			return false;
	}
	return name || !digest || !artifacts_has(&s->images->artifacts, digest);
}

static int put_index(struct save *s)
{
	const struct json *entry;
	struct json_writer w;
	char *text;
	size_t len;

	json_writer_init(&w, s->arena, 0);
	json_object_begin(&w, NULL);
	json_add_u64(&w, "schemaVersion", 2);
	json_add_string(&w, "mediaType", MEDIA_OCI_INDEX);
	json_array_begin(&w, "manifests");
	if (s->there) {
		json_each(entry, s->there) {
			if (stays(s, entry))
				json_add_value(&w, NULL, entry);
		}
	}
	for (size_t i = 0; i < s->images->n; i++) {
		struct descriptor ours;
		int r = entry_of(s, i, &ours);

		if (r < 0)
			return r;
		image_descriptor_write(&w, NULL, &ours);
	}
	for (size_t i = 0; i < s->images->artifacts.n; i++)
		image_descriptor_write(&w, NULL, &s->images->artifacts.items[i].manifest);
	json_array_end(&w);
	json_object_end(&w);
	text = json_writer_text(&w, &len);
	return put_text(s, STORE_INDEX, text, len);
}

static bool is_first_of_image(const struct save_list *images, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (strcmp(images->items[k].digest, images->items[i].digest) == 0)
			return false;
	}
	return true;
}

/* One object an image, with all of its names. */
static int put_docker_list(struct save *s)
{
	const struct save_list *images = s->images;
	struct json_writer w;
	char *text;
	size_t len;

	json_writer_init(&w, s->arena, 0);
	json_array_begin(&w, NULL);
	for (size_t i = 0; i < images->n; i++) {
		const struct image *image = &images->items[i];

		if (!is_first_of_image(images, i))
			continue;
		json_object_begin(&w, NULL);
		json_add_string(&w, "Config", blob_path(s, image->id));
		json_array_begin(&w, "RepoTags");
		for (size_t k = i; k < images->n; k++) {
			if (images->names[k] && !strcmp(images->items[k].digest, image->digest))
				json_add_string(&w, NULL, images->names[k]);
		}
		json_array_end(&w);
		json_array_begin(&w, "Layers");
		for (size_t k = 0; k < image->manifest.layers.n; k++)
			json_add_string(&w, NULL,
					blob_path(s, image->manifest.layers.items[k].digest));
		json_array_end(&w);
		json_object_end(&w);
	}
	json_array_end(&w);
	text = json_writer_text(&w, &len);
	return put_text(s, "manifest.json", text, len);
}

/* The names come last: what has them is whole. */
static int put_all(struct save *s)
{
	int r = put_text(s, "oci-layout", LAYOUT_TEXT, strlen(LAYOUT_TEXT));

	for (size_t i = 0; r == 0 && i < s->images->n; i++)
		r = put_image(s, &s->images->items[i]);
	for (size_t i = 0; r == 0 && i < s->images->artifacts.n; i++)
		r = put_artifact(s, &s->images->artifacts.items[i].manifest);
	if (r == 0 && !s->images->oci_only)
		r = put_docker_list(s);
	return r == 0 ? put_index(s) : r;
}

int save_tar(const struct store *store, struct arena *arena, const struct save_list *images,
	     struct sink *out, struct err *err)
{
	struct save s = { .store = store,
			  .arena = arena,
			  .images = images,
			  .err = err,
			  .written.arena = arena,
			  .begin = tar_begin,
			  .write = tar_write,
			  .end = tar_end,
			  .sink = { out, err },
			  .archive = archive_write_new(),
			  .entry = archive_entry_new() };
	int r = 0;

	if (!s.archive || !s.entry)
		r = err_set(err, -ENOMEM, "begin to write a tar");
	if (r == 0 && archive_write_set_format_pax_restricted(s.archive) != ARCHIVE_OK)
		r = not_written(&s);
	if (r == 0)
		r = archive_sink_open(&s.sink, s.archive);
	if (r == 0)
		r = put_all(&s);
	if (r == 0 && archive_write_close(s.archive) != ARCHIVE_OK)
		r = not_written(&s);
	archive_write_free(s.archive);
	archive_entry_free(s.entry);
	return r;
}

/* What a layout holds that is there already. */
static int read_there(struct save *s)
{
	defer_close int fd = openat(s->dir, STORE_INDEX, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct image_index index;
	const struct json *root;
	size_t len;
	char *text;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(s->err, "open \"" STORE_INDEX "\"");
	r = os_file_read(s->arena, fd, IMAGE_MANIFEST_MAX_BYTES, &text, &len);
	if (r < 0)
		return err_set(s->err, r, "read \"" STORE_INDEX "\"");
	r = image_index_read(s->arena, STORE_INDEX, text, len, &index, s->err);
	if (r == 0)
		r = json_parse(s->arena, text, len, &root, s->err);
	if (r == 0)
		s->there = json_member(root, "manifests");
	return r;
}

int save_layout(const struct store *store, struct arena *arena, const struct save_list *images,
		int dir, struct err *err)
{
	struct save_list oci = *images;
	struct save s = { .store = store,
			  .arena = arena,
			  .images = &oci,
			  .err = err,
			  .written.arena = arena,
			  .begin = dir_begin,
			  .write = dir_write,
			  .end = dir_end,
			  .dir = dir,
			  .file = -EBADF };
	int r = read_there(&s);

	oci.oci_only = true;
	if (r == 0)
		r = put_all(&s);
	defer_close_fn(&s.file);
	if (r < 0)
		(void)unlinkat(dir, TEMPORARY, 0);
	else if (os_fsync(dir) < 0)
		r = err_sys(err, "flush the layout's names to the disk");
	return r;
}
