/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image goes up from below: blobs before the manifest that names them, manifests before the index, and what gets the tag
 * comes last. So nobody ever finds an image there that is not whole.
 */
#include "engine/artifacts.h"

#include "image/blob.h"
#include "image/image.h"
#include "image/lease.h"
#include "registry/upload.h"
#include "spec/media_type.h"

#include <stdio.h>
#include <string.h>

struct push {
	const struct roots *roots;
	const struct store *store;
	struct arena *arena;
	const struct push_request *request;
	struct access access;
	struct reference reference;
	struct session *session;
	/* the blobs of the manifest that is being sent */
	const struct descriptor *blobs;
	size_t n_blobs;
};

/* ---- blobs ------------------------------------------------------------------------------------------------------ */

static const char *mount_from(const struct push *p)
{
	return p->request->mount_from;
}

static int send_blob(const struct push *p, const struct store *store, struct session *session,
		     const struct descriptor *blob, struct piece *piece, struct err *err)
{
	defer_close int fd = -EBADF;
	struct upload upload = { .digest = blob->digest, .size = blob->size };
	uint64_t size;

	fd = blob_open(store, blob->digest, &size, err);
	if (fd < 0)
		return fd;
	if (size != blob->size)
		return err_user(err, "blob %s has not the size that its manifest says",
				blob->digest);
	upload.fd = fd;
	if (piece) {
		piece->total = size;
		piece->phase = TRANSFER_MOVES;
		upload.progress = &piece->done;
	}
	return upload_blob(session, &upload, mount_from(p), err);
}

static int do_blob(void *arg, size_t i, struct piece *piece, struct err *err)
{
	const struct push *p = arg;
	defer_store struct store store = STORE_INIT;
	struct session *session = NULL;
	int r = roots_open_store(p->roots, &store, err);

	if (r == 0)
		r = session_fork(p->session, &session, err);
	if (r == 0)
		r = send_blob(p, &store, session, &p->blobs[i], piece, err);
	session_free(session);
	if (r > 0)
		piece->phase = TRANSFER_IS_THERE;
	return r;
}

static void watch(void *arg, const struct piece *pieces, size_t n)
{
	const struct push *p = arg;

	transfer_show(&p->request->watch, p->blobs, pieces, n);
}

/* The config first and by ourselves: after that the session knows scheme and token, and the others needn't ask. */
static int send_blobs(struct push *p, const struct image_manifest *manifest, struct err *err)
{
	struct descriptor *layers = arena_array(p->arena, manifest->layers.n + 1, sizeof(*layers));
	struct parallel parallel = {
		.at_once = TRANSFER_AT_ONCE, .work = do_blob, .watch = watch, .arg = p
	};
	int r = send_blob(p, p->store, p->session, &manifest->config, NULL, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < manifest->layers.n; i++) {
		const struct descriptor *layer = &manifest->layers.items[i];

		/* Those may not be spread; who wants one gets it from its urls. */
		if (!media_type_find(layer->media_type)->foreign)
			layers[parallel.n++] = *layer;
	}
	p->blobs = layers;
	return parallel_run(&parallel, NULL, err);
}

/* ---- documents -------------------------------------------------------------------------------------------------- */

static int read_document(const struct push *p, const struct descriptor *of, struct manifest *ret,
			 struct err *err)
{
	char *text;
	int r = blob_read(p->store, p->arena, of->digest, IMAGE_MANIFEST_MAX_BYTES, &text,
			  &ret->len, err);

	if (r < 0)
		return r;
	ret->text = text;
	ret->media_type = of->media_type;
	snprintf(ret->digest, sizeof(ret->digest), "%s", of->digest);
	return 0;
}

static int send_manifest(struct push *p, const struct descriptor *of, const char *reference,
			 struct err *err)
{
	const char *name = arena_printf(p->arena, "manifest %s", of->digest);
	struct image_manifest manifest;
	struct manifest document;
	int r = read_document(p, of, &document, err);

	if (r == 0)
		r = image_manifest_read(p->arena, name, document.text, document.len, &manifest,
					err);
	if (r == 0)
		r = send_blobs(p, &manifest, err);
	return r < 0 ? r : manifest_put(p->session, reference, &document, err);
}

static int send_document(struct push *p, const struct descriptor *of, const char *reference,
			 int depth, struct err *err);

static int send_index(struct push *p, const struct descriptor *of, const char *reference, int depth,
		      struct err *err)
{
	const char *name = arena_printf(p->arena, "index %s", of->digest);
	struct image_index index;
	struct manifest document;
	int r = read_document(p, of, &document, err);

	if (r == 0)
		r = image_index_read(p->arena, name, document.text, document.len, &index, err);
	for (size_t i = 0; r == 0 && i < index.manifests.n; i++)
		r = send_document(p, &index.manifests.items[i], index.manifests.items[i].digest,
				  depth + 1, err);
	return r < 0 ? r : manifest_put(p->session, reference, &document, err);
}

static int send_document(struct push *p, const struct descriptor *of, const char *reference,
			 int depth, struct err *err)
{
	enum media_kind kind = media_type_find(of->media_type)->kind;

	if (kind == MEDIA_MANIFEST)
		return send_manifest(p, of, reference, err);
	if (kind != MEDIA_INDEX)
		return err_user(err, "%s is no image: it is of type \"%.100s\"", of->digest,
				of->media_type);
	if (depth > IMAGE_INDEX_DEPTH_MAX)
		return err_user(err, "more than %d indexes in each other", IMAGE_INDEX_DEPTH_MAX);
	return send_index(p, of, reference, depth, err);
}

/* ---- what is sent ----------------------------------------------------------------------------------------------- */

/* Is everything there that the index lists? A pull gets one image of it. Return: 1, 0; -errno */
static int is_whole(struct push *p, const struct descriptor *of, struct image_index *ret,
		    struct err *err)
{
	struct manifest document;
	int r = read_document(p, of, &document, err);

	if (r == 0)
		r = image_index_read(p->arena, of->digest, document.text, document.len, ret, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ret->manifests.n; i++) {
		struct err missing = ERR_INIT;
		uint64_t size;
		int fd = blob_open(p->store, ret->manifests.items[i].digest, &size, &missing);

		if (fd < 0)
			return fd == -ENOENT ? 0 : (*err = missing, fd);
		close(fd);
	}
	return 1;
}

/* An index of which there is one image here: that image alone, since a registry takes no index with holes. */
static int choose_source(struct push *p, struct descriptor *source, struct err *err)
{
	const struct descriptor *chosen;
	struct image_index index;
	int r;

	while (media_type_find(source->media_type)->kind == MEDIA_INDEX) {
		r = is_whole(p, source, &index, err);
		if (r != 0)
			return r < 0 ? r : 0;
		chosen = platform_choose(&index, p->request->platform);
		if (!chosen)
			return err_user_code(err, -ENOENT, "index %s has no image for this machine",
					     source->digest);
		access_say(&p->request->watch, "of the index %s only %s is here: that is sent",
			   source->digest, chosen->digest);
		*source = *chosen;
	}
	return 0;
}

static int begin(struct push *p, struct err *err)
{
	struct transfer_watch one = p->request->watch;
	struct endpoint_list places;
	struct meaning meaning;
	int r = access_open(p->arena, &p->request->access, &p->access, err);

	if (r < 0)
		return r;
	access_warn(&p->access, &p->request->watch);
	one.interactive = false; /* nothing is pushed to try it */
	r = access_reference(p->arena, &p->access, p->request->name, &one, &meaning, err);
	if (r == 0)
		p->reference = meaning.items[0];
	if (r == 0 && p->reference.digest)
		r = err_user(err, "\"%s\" has a digest, and a digest comes from what is pushed",
			     p->request->name);
	if (r == 0)
		r = registries_endpoints(p->arena, &p->access.registries, &p->reference, true,
					 &places, err);
	return r < 0 ? r
		     : access_session(&p->access, &places.items[places.n - 1], true, mount_from(p),
				      &p->session, err);
}

static int push_artifacts(struct push *p, const struct descriptor *source, size_t *ret_n,
			  struct err *err)
{
	struct artifact_list list = { 0 };
	int r;

	if (!p->request->artifacts)
		return 0;
	r = artifacts_of(p->store, p->arena, p->request->artifacts, source->digest, &list, err);
	if (r == 0)
		r = artifacts_put(p->store, p->arena, p->session, &p->request->watch, &list, err);
	if (r == 0 && ret_n)
		*ret_n = list.n;
	return r;
}

static int push(struct push *p, size_t *ret_artifacts, struct err *err)
{
	struct descriptor source = p->request->source;
	int r = begin(p, err);

	if (r == 0)
		r = lease_blob(p->store, source.digest, err);
	if (r == 0)
		r = choose_source(p, &source, err);
	if (r < 0)
		return r;
	access_say(&p->request->watch, "pushing %s", reference_text(p->arena, &p->reference));
	r = send_document(p, &source, p->reference.tag, 0, err);
	return r < 0 ? r : push_artifacts(p, &source, ret_artifacts, err);
}

int transfer_push(const struct roots *roots, const struct store *store, struct arena *arena,
		  const struct push_request *request, size_t *ret_artifacts, struct err *err)
{
	struct push p = { .roots = roots, .store = store, .arena = arena, .request = request };
	int r = push(&p, ret_artifacts, err);

	session_free(p.session);
	return r;
}
