/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/load.h"

#include "base/json_write.h"
#include "base/string_map.h"
#include "image/blob.h"
#include "image/inflate.h"
#include "image/layer.h"
#include "image/reach.h"
#include "image/refs.h"
#include "os/file.h"
#include "os/walk.h"
#include "spec/image_write.h"
#include "spec/media_type.h"
#include "spec/reference.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define CONTAINERD_NAME "io.containerd.image.name"
#define DOCKER_LIST     "manifest.json"
#define BLOBS           "blobs/"
#define SMALL_MAX       IMAGE_MANIFEST_MAX_BYTES
/* Bounds what an archive, with all of its layers, may inflate to. */
#define INFLATED_MAX (2 * LAYER_BYTES_MAX)

/* A file of the archive that became a blob. */
struct file {
	const char *digest;
	uint64_t size;
};

struct load {
	const struct store *store;
	struct arena *arena;
	struct err *err;
	const char *layout, *index,
		*list; /* the text of oci-layout, index.json, manifest.json; NULL */
	size_t index_len, list_len;
	struct string_map files; /* path -> struct file; of links -> NULL until it is known */
	struct string_map links; /* path -> the path that it links to */
	size_t n;
	struct loaded_list loaded;
	struct artifact_list artifacts; /* that a layout lists */
	bool with_artifacts;            /* they are taken along */
	/* of load_image() */
	bool only_one;
	const char *wanted;
	struct descriptor found;
	size_t n_found;
	char there[200]; /* names that there are, for people */
};

/* ---- files ------------------------------------------------------------------------------------------------------ */

/* "./a/../b" is for nobody to write; what is left is the path without "./" and "/" in front. */
static const char *clean(const char *path)
{
	for (;;) {
		path += strspn(path, "/");
		if (strncmp(path, "./", 2) != 0)
			return path;
		path += 2;
	}
}

static int read_small(struct load *l, struct stream *stream, const char **ret, size_t *ret_len)
{
	char *text = arena_alloc(l->arena, SMALL_MAX + 1);
	size_t len = 0;
	ssize_t n;

	while ((n = stream->read(stream, text + len, SMALL_MAX + 1 - len, l->err)) > 0) {
		len += (size_t)n;
		if (len > SMALL_MAX)
			return err_user(l->err, "it has more than %zu bytes", SMALL_MAX);
	}
	if (n < 0)
		return (int)n;
	text[len] = '\0';
	*ret = text;
	if (ret_len)
		*ret_len = len;
	return 0;
}

static int write_blob(struct load *l, struct stream *stream, struct blob_writer *w)
{
	static char buffer[128 * 1024];
	ssize_t n;
	/* What an interrupted load left would have to be gone on with in its middle. */
	int r = w->have > 0 ? blob_restart(w, l->err) : 0;

	while (r == 0 && (n = stream->read(stream, buffer, sizeof(buffer), l->err)) != 0)
		r = n < 0 ? (int)n : blob_write(w, buffer, (size_t)n, l->err);
	return r;
}

/* @digest: what the file's name says that it is; NULL: nothing. Return: 0; 1 if it is there; -errno */
static int read_blob(struct load *l, struct stream *stream, const char *digest, char *ret_digest,
		     uint64_t *ret_size)
{
	struct blob_writer w;
	int r = blob_begin(l->store, digest, BLOB_SIZE_UNKNOWN, &w, l->err);

	if (r != 0)
		return r;
	r = write_blob(l, stream, &w);
	*ret_size = w.have;
	if (r == 0)
		return blob_end(&w, ret_digest, l->err);
	/* The next load begins from the beginning, and the disk may be full. */
	blob_discard(&w);
	return r;
}

static int take_blob(struct load *l, const char *path, const char *digest, struct stream *stream)
{
	char found[DIGEST_TEXT_MAX];
	uint64_t size = 0;
	struct file *file;
	int r = read_blob(l, stream, digest, found, &size);

	if (r < 0)
		return r;
	if (r == 1) {
		int fd = blob_open(l->store, digest, &size, l->err);

		if (fd < 0)
			return fd;
		defer_close_fn(&fd);
	}
	file = arena_alloc(l->arena, sizeof(*file));
	*file = (struct file){ arena_strdup(l->arena, r == 1 ? digest : found), size };
	string_map_add(&l->files, path, file);
	return 0;
}

/* The digest that a name below blobs/ says; NULL if it is no name of a blob. */
static const char *digest_of_path(struct load *l, const char *path)
{
	enum digest_algorithm algorithm;
	const char *hex, *why;
	char *digest, *slash;

	if (strncmp(path, BLOBS, strlen(BLOBS)) != 0)
		return NULL;
	digest = arena_strdup(l->arena, path + strlen(BLOBS));
	slash = strchr(digest, '/');
	if (!slash)
		return NULL;
	*slash = ':';
	return digest_parse(digest, &algorithm, &hex, &why) < 0 ? NULL : digest;
}

static int take_file(struct load *l, const char *path, struct stream *stream)
{
	if (++l->n > LOAD_FILES_MAX)
		return err_user(l->err, "more than %d files", LOAD_FILES_MAX);
	if (strcmp(path, "oci-layout") == 0)
		return read_small(l, stream, &l->layout, NULL);
	if (strcmp(path, STORE_INDEX) == 0)
		return read_small(l, stream, &l->index, &l->index_len);
	if (strcmp(path, DOCKER_LIST) == 0)
		return read_small(l, stream, &l->list, &l->list_len);
	return take_blob(l, path, digest_of_path(l, path), stream);
}

/* ---- where they come from --------------------------------------------------------------------------------------- */

struct tar {
	struct stream stream; /* the content of the entry */
	struct archive *archive;
	struct stream *source;
	struct err err; /* what reading the source said */
	char buffer[128 * 1024];
};

static la_ssize_t read_source(struct archive *archive, void *arg, const void **ret)
{
	struct tar *tar = arg;
	ssize_t n = tar->source->read(tar->source, tar->buffer, sizeof(tar->buffer), &tar->err);

	*ret = tar->buffer;
	if (n < 0)
		archive_set_error(archive, EIO, "%s", tar->err.text);
	return n < 0 ? -1 : n;
}

static int no_tar(struct tar *tar, struct err *err)
{
	if (tar->err.code) {
		*err = tar->err;
		return err->code;
	}
	return err_user(err, "the tar can't be read: %s", archive_error_string(tar->archive));
}

static ssize_t read_entry(struct stream *stream, void *buf, size_t size, struct err *err)
{
	struct tar *tar = (struct tar *)(void *)stream;
	la_ssize_t n = archive_read_data(tar->archive, buf, size);

	return n < 0 ? no_tar(tar, err) : n;
}

/* docker's older archives link a layer that two images share. */
static void take_link(struct load *l, const char *path, const char *target, bool is_hard)
{
	char *dir = arena_strdup(l->arena, path), *slash = strrchr(dir, '/');

	if (slash)
		*slash = '\0';
	else
		*dir = '\0';
	while (!is_hard && strncmp(target, "../", 3) == 0) {
		target += 3;
		slash = strrchr(dir, '/');
		if (slash)
			*slash = '\0';
		else
			*dir = '\0';
	}
	string_map_add(&l->links, path,
		       is_hard || !*dir ? arena_strdup(l->arena, clean(target))
					: arena_printf(l->arena, "%s/%s", dir, target));
}

static int take_entry(struct load *l, struct tar *tar, struct archive_entry *entry)
{
	const char *path = archive_entry_pathname(entry), *link = archive_entry_hardlink(entry);
	bool is_hard = link != NULL;

	if (!link)
		link = archive_entry_symlink(entry);
	if (!path)
		return 0;
	path = clean(path);
	if (link) {
		take_link(l, path, link, is_hard);
		return 0;
	}
	if (archive_entry_filetype(entry) != S_IFREG)
		return 0;
	if (take_file(l, path, &tar->stream) < 0)
		return err_context(l->err, "file \"%s\"", path);
	return 0;
}

static int read_entries(struct load *l, struct tar *tar)
{
	struct archive_entry *entry;
	int r;

	if (archive_read_support_format_tar(tar->archive) != ARCHIVE_OK ||
	    archive_read_open(tar->archive, tar, NULL, read_source, NULL) != ARCHIVE_OK)
		return no_tar(tar, l->err);
	for (;;) {
		r = archive_read_next_header(tar->archive, &entry);
		if (r == ARCHIVE_EOF)
			return 0;
		if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
			return no_tar(tar, l->err);
		r = take_entry(l, tar, entry);
		if (r < 0)
			return r;
	}
}

static int read_tar(struct load *l, int fd)
{
	struct inflate *inflate = NULL;
	struct tar *tar = calloc(1, sizeof(*tar));
	struct fd_stream file;
	int r;

	if (!tar)
		return err_set(l->err, -ENOMEM, "begin to read the archive");
	tar->stream.read = read_entry;
	tar->err = ERR_INIT;
	tar->archive = archive_read_new();
	fd_stream_init(&file, fd);
	r = tar->archive ? inflate_new(&file.stream, INFLATED_MAX, &inflate, l->err)
			 : err_set(l->err, -ENOMEM, "begin to read the archive");
	if (r == 0) {
		tar->source = inflate_stream(inflate);
		r = read_entries(l, tar);
	}
	archive_read_free(tar->archive);
	inflate_free(inflate);
	free(tar);
	return r;
}

static int take_node(void *arg, const struct walk_node *node)
{
	struct load *l = arg;
	struct fd_stream stream;
	defer_close int fd = -EBADF;

	if (!S_ISREG(node->st.st_mode))
		return 0;
	fd = openat(node->parent, node->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(l->err, "open \"%s\"", node->path);
	fd_stream_init(&stream, fd);
	return take_file(l, node->path, &stream.stream) < 0
		       ? err_context(l->err, "file \"%s\"", node->path)
		       : 0;
}

static int read_directory(struct load *l, int fd)
{
	int r = os_walk(fd, take_node, l);

	return r < 0 && !l->err->code ? err_set(l->err, r, "walk through the directory") : r;
}

static int read_all(struct load *l, const char *path)
{
	defer_close int fd = -EBADF;
	struct stat st;

	if (strcmp(path, "-") == 0)
		return read_tar(l, STDIN_FILENO);
	fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(l->err, "open it");
	return S_ISDIR(st.st_mode) ? read_directory(l, fd) : read_tar(l, fd);
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

/* A name that is none is no reason to lose the image. */
static const char *whole_name(struct load *l, const char *text)
{
	struct err ignored = ERR_INIT;
	struct reference reference;

	if (!text || reference_parse(l->arena, text, &reference, &ignored) < 0)
		return NULL;
	reference.digest = NULL;
	if (!reference.registry)
		reference.registry = REFERENCE_LOCAL_REGISTRY;
	reference_complete(l->arena, &reference);
	return reference_text(l->arena, &reference);
}

static int missing(void *arg, enum reach_fault fault, const char *digest, const char *by,
		   const struct err *why)
{
	return -EINVAL;
}

/* Is everything there that a manifest needs? */
static int check_whole(struct load *l, const char *digest)
{
	struct reach reach;

	reach_init(&reach, l->store, l->arena);
	reach.fault = missing;
	if (reach_image(&reach, digest, digest, l->err) < 0)
		return err_context(l->err, "image %s is not whole", digest);
	return 0;
}

/* @own: what it is called in the archive; NULL */
static int find_image(struct load *l, const char *own, const struct descriptor *image)
{
	const char *whole = whole_name(l, own), *wanted = whole_name(l, l->wanted);
	size_t len = strlen(l->there);

	if (!l->wanted || (own && !strcmp(own, l->wanted)) ||
	    (whole && wanted && !strcmp(whole, wanted))) {
		/* Several names may be those of one image. */
		if (!l->n_found || strcmp(l->found.digest, image->digest) != 0)
			l->n_found++;
		l->found = *image;
	}
	snprintf(l->there + len, sizeof(l->there) - len, "%s%s", len ? ", " : "",
		 own ? own : "one without a name");
	return 0;
}

static int one_found(struct load *l, struct descriptor *ret)
{
	if (l->n_found == 1) {
		*ret = l->found;
		return check_whole(l, ret->digest);
	}
	if (l->n_found == 0)
		err_user_code(l->err, -ENOENT, "it has no image \"%s\"",
			      l->wanted ? l->wanted : "");
	else
		err_user(l->err, "it has %zu images, and one must be named", l->n_found);
	return err_hint(l->err, "there are: %s", *l->there ? l->there : "none");
}

static int add_image(struct load *l, const char *name, const struct descriptor *image)
{
	int r = check_whole(l, image->digest);

	if (r == 0)
		r = refs_set(l->store, name, image, l->err);
	if (r < 0)
		return r;
	l->loaded.items =
		arena_grow(l->arena, l->loaded.items, l->loaded.n, sizeof(*l->loaded.items));
	l->loaded.items[l->loaded.n++] = (struct loaded){ name, image->digest };
	return 0;
}

/* ---- an OCI layout ---------------------------------------------------------------------------------------------- */

static const char *annotation(const struct descriptor *entry, const char *key)
{
	for (size_t i = 0; i < entry->annotations.n; i++) {
		if (strcmp(entry->annotations.items[i].key, key) == 0)
			return entry->annotations.items[i].value;
	}
	return NULL;
}

/* Leaves the images: neither what refers to them, nor lists of that. */
static void take_artifacts_out(struct load *l, struct descriptor_list *entries)
{
	size_t n = 0;

	for (size_t i = 0; i < entries->n; i++) {
		const char *name = refs_name(&entries->items[i]);

		if (name ? !digest_is_referrers_tag(name)
			 : !artifacts_has(&l->artifacts, entries->items[i].digest))
			entries->items[n++] = entries->items[i];
	}
	entries->n = n;
}

/* Before the images have their names; our leases hold both. */
static int keep_artifacts(struct load *l, const struct descriptor_list *images)
{
	struct artifact_list *list = &l->loaded.artifacts;
	int r = 0;

	for (size_t i = 0; r == 0 && i < images->n; i++)
		r = artifacts_of(l->store, l->arena, &l->artifacts, images->items[i].digest, list,
				 l->err);
	return r < 0 ? r : artifacts_keep(l->store, list, l->err);
}

static int take_layout(struct load *l, const char *name)
{
	struct image_index index;
	int r = image_index_read(l->arena, STORE_INDEX, l->index, l->index_len, &index, l->err);

	if (r < 0)
		return r;
	artifacts_listed(l->store, l->arena, &index, &l->artifacts);
	take_artifacts_out(l, &index.manifests);
	if (!index.manifests.n && l->artifacts.n)
		return err_user(l->err, "it has no image, only %zu things that refer to images",
				l->artifacts.n);
	if (name && index.manifests.n != 1)
		return err_user(l->err, "it has %zu images, and one name is given",
				index.manifests.n);
	if (l->with_artifacts)
		r = keep_artifacts(l, &index.manifests);
	for (size_t i = 0; r == 0 && i < index.manifests.n; i++) {
		const struct descriptor *entry = &index.manifests.items[i];
		const char *own = annotation(entry, CONTAINERD_NAME);

		if (!own || l->only_one)
			own = annotation(entry, REF_NAME_ANNOTATION);
		if (l->only_one)
			r = find_image(l, own, entry);
		else
			r = add_image(l, name ? name : whole_name(l, own), entry);
	}
	return r;
}

/* ---- docker's archive ------------------------------------------------------------------------------------------- */

/* By the path that manifest.json says; links lead on, but not in circles. */
static int find_file(struct load *l, const char *path, const struct file **ret)
{
	const char *at = clean(path);

	for (int links = 0; links < 8; links++) {
		const struct string_map_entry *file = string_map_find(&l->files, at);
		const struct string_map_entry *link = string_map_find(&l->links, at);

		if (file) {
			*ret = file->value;
			return 0;
		}
		if (!link)
			break;
		at = link->value;
	}
	return err_user(l->err, "\"" DOCKER_LIST "\" names \"%s\", which is not there", path);
}

/* Of a layer, by its bytes. */
static int layer_type(struct load *l, const struct file *file, const char *diff_id,
		      const char **ret)
{
	struct inflate *inflate = NULL;
	struct fd_stream stream;
	uint64_t size;
	defer_close int fd = blob_open(l->store, file->digest, &size, l->err);
	const char *method;
	int r;

	if (fd < 0)
		return fd;
	fd_stream_init(&stream, fd);
	r = inflate_new(&stream.stream, LAYER_BYTES_MAX, &inflate, l->err);
	if (r < 0)
		return r;
	method = inflate_name(inflate);
	*ret = !strcmp(method, "gzip")   ? MEDIA_OCI_LAYER "+gzip"
	       : !strcmp(method, "zstd") ? MEDIA_OCI_LAYER "+zstd"
					 : MEDIA_OCI_LAYER;
	if (!strcmp(method, "uncompressed") && strcmp(file->digest, diff_id) != 0)
		r = err_user(l->err, "its content is %s, but the image says %s", file->digest,
			     diff_id);
	inflate_free(inflate);
	return r;
}

static int write_layer(struct load *l, struct json_writer *w, const char *path, const char *diff_id)
{
	struct descriptor layer = { 0 };
	const struct file *file;
	int r = find_file(l, path, &file);

	if (r == 0)
		r = layer_type(l, file, diff_id, &layer.media_type);
	if (r < 0)
		return err_context(l->err, "layer \"%s\"", path);
	layer.digest = file->digest;
	layer.size = file->size;
	image_descriptor_write(w, NULL, &layer);
	return 0;
}

static int read_docker_config(struct load *l, const struct file *file, struct image_config *ret)
{
	char *text;
	size_t len;
	int r = blob_read(l->store, l->arena, file->digest, IMAGE_CONFIG_MAX_BYTES, &text, &len,
			  l->err);

	return r < 0 ? r : image_config_read(l->arena, file->digest, text, len, ret, l->err);
}

/* What docker's archive has no document for. */
static int make_manifest(struct load *l, const struct file *config_file,
			 const struct image_config *config, const struct json *layers,
			 struct descriptor *ret)
{
	const struct descriptor of_config = { .media_type = MEDIA_OCI_CONFIG,
					      .digest = config_file->digest,
					      .size = config_file->size };
	const struct json *layer;
	char digest[DIGEST_TEXT_MAX];
	struct json_writer w;
	char *text;
	size_t len;
	int r = 0;

	json_writer_init(&w, l->arena, 0);
	json_object_begin(&w, NULL);
	json_add_u64(&w, "schemaVersion", 2);
	json_add_string(&w, "mediaType", MEDIA_OCI_MANIFEST);
	image_descriptor_write(&w, "config", &of_config);
	json_array_begin(&w, "layers");
	json_each(layer, layers) {
		if (!json_string(layer))
			return err_user(l->err, "a layer of \"" DOCKER_LIST "\" is no path");
		r = write_layer(l, &w, layer->text, config->diff_ids.items[layer->index]);
		if (r < 0)
			return r;
	}
	json_array_end(&w);
	json_object_end(&w);
	text = json_writer_text(&w, &len);
	r = blob_make(l->store, text, len, digest, l->err);
	*ret = (struct descriptor){ .media_type = MEDIA_OCI_MANIFEST,
				    .digest = arena_strdup(l->arena, digest),
				    .size = len,
				    .platform = config->platform };
	ret->platform.set = true;
	return r;
}

static int add_docker_names(struct load *l, const struct json *tags, const char *name,
			    const struct descriptor *image)
{
	const struct json *tag;
	int r = 0;

	if (l->only_one && (!tags || tags->type != JSON_ARRAY || !tags->len))
		return find_image(l, NULL, image);
	if (name || !tags || tags->type != JSON_ARRAY || !tags->len)
		return add_image(l, name, image);
	json_each(tag, tags) {
		if (r == 0)
			r = l->only_one ? find_image(l, json_string(tag), image)
					: add_image(l, whole_name(l, json_string(tag)), image);
	}
	return r;
}

static int take_docker_image(struct load *l, const struct json *image, const char *name)
{
	const char *path = json_string(json_member(image, "Config"));
	const struct json *layers = json_member(image, "Layers");
	struct descriptor manifest;
	struct image_config config;
	const struct file *file;
	int r;

	if (!path || !layers || layers->type != JSON_ARRAY)
		return err_user(l->err,
				"\"" DOCKER_LIST "\" has an image without Config or Layers");
	r = find_file(l, path, &file);
	if (r == 0)
		r = read_docker_config(l, file, &config);
	if (r == 0 && config.diff_ids.n != layers->len)
		r = err_user(l->err, "it has %u layers, but its config tells of %zu", layers->len,
			     config.diff_ids.n);
	if (r == 0)
		r = make_manifest(l, file, &config, layers, &manifest);
	return r < 0 ? r : add_docker_names(l, json_member(image, "RepoTags"), name, &manifest);
}

static int take_docker(struct load *l, const char *name)
{
	const struct json *root, *image;
	int r = json_parse(l->arena, l->list, l->list_len, &root, l->err);

	if (r == 0 && root->type != JSON_ARRAY)
		r = err_user(l->err, "it is no array");
	if (r < 0)
		return err_context(l->err, "read \"" DOCKER_LIST "\"");
	if (name && root->len != 1)
		return err_user(l->err, "it has %u images, and one name is given", root->len);
	json_each(image, root) {
		if (r == 0)
			r = take_docker_image(l, image, name);
	}
	return r;
}

static int load(struct load *l, const char *path, const char *name)
{
	int r = read_all(l, path);

	if (r < 0)
		return r;
	if (l->layout && l->index)
		return take_layout(l, name);
	if (l->list)
		return take_docker(l, name);
	return err_user(l->err, "it is no OCI layout and no archive of docker's: it has "
				"neither oci-layout and " STORE_INDEX " nor " DOCKER_LIST);
}

int load_images(const struct store *store, struct arena *arena, const char *path, const char *name,
		bool artifacts, struct loaded_list *ret, struct err *err)
{
	struct load l = { .store = store,
			  .arena = arena,
			  .err = err,
			  .files.arena = arena,
			  .links.arena = arena,
			  .with_artifacts = artifacts };
	int r = load(&l, path, name);

	if (r == 0)
		*ret = l.loaded;
	return r < 0 ? err_context(err, "read \"%s\"", path) : 0;
}

int load_image(const struct store *store, struct arena *arena, const char *path, const char *wanted,
	       struct descriptor *ret, struct artifact_list *ret_artifacts, struct err *err)
{
	struct load l = { .store = store,
			  .arena = arena,
			  .err = err,
			  .files.arena = arena,
			  .links.arena = arena,
			  .only_one = true,
			  .wanted = wanted };
	int r = load(&l, path, NULL);

	if (r == 0)
		r = one_found(&l, ret);
	*ret_artifacts = l.artifacts;
	return r < 0 ? err_context(err, "read \"%s\"", path) : 0;
}
