/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signatures, SBOMs and what else refers to an image go with it from registry to registry, and what refers to those, too. They pass
 * through the store, where nothing holds them afterwards.
 */
#include "engine/access.h"

#include "image/blob.h"
#include "registry/referrers.h"
#include "registry/upload.h"
#include "spec/media_type.h"

#include <string.h>

/* A signature of an SBOM of an image; nobody goes further. */
#define DEPTH_MAX 4

/* One of the two registries. */
struct side {
	struct access access;
	struct session *session;
};

struct artifacts {
	const struct store *store;
	struct arena *arena;
	const struct artifacts_request *request;
	struct side from, to;
	size_t n; /* copied */
};

static int open_side(struct artifacts *a, struct side *side, const struct registry_access *options,
		     const char *name, bool push, struct err *err)
{
	struct endpoint_list places;
	struct meaning meaning;
	int r = access_open(a->arena, options, &side->access, err);

	if (r == 0)
		r = access_reference(a->arena, &side->access, name, &a->request->watch, &meaning,
				     err);
	if (r == 0)
		r = registries_endpoints(a->arena, &side->access.registries, &meaning.items[0],
					 push, &places, err);
	/* The last one is the registry itself; mirrors need not have what was pushed later. */
	return r < 0 ? r
		     : access_session(&side->access, &places.items[places.n - 1], push, NULL,
				      &side->session, err);
}

static int copy_blob(const struct artifacts *a, const struct descriptor *blob, struct err *err)
{
	struct upload upload = { .digest = blob->digest, .size = blob->size };
	int r = fetch_blob(a->store, a->from.session, blob, NULL, err);
	defer_close int fd = -EBADF;
	uint64_t size;

	if (r < 0)
		return r;
	fd = blob_open(a->store, blob->digest, &size, err);
	if (fd < 0)
		return fd;
	upload.fd = fd;
	r = upload_blob(a->to.session, &upload, NULL, err);
	return r < 0 ? r : 0;
}

static int copy_manifest(struct artifacts *a, const struct descriptor *of, struct err *err)
{
	struct image_manifest manifest;
	struct manifest document;
	int r = manifest_get(a->from.session, a->arena, of->digest, &document, err);

	if (r == 0 && media_type_find(document.media_type)->kind != MEDIA_MANIFEST)
		r = err_user(err, "%s is no manifest but of type \"%.100s\"", of->digest,
			     document.media_type);
	if (r == 0)
		r = image_manifest_read(a->arena, of->digest, document.text, document.len,
					&manifest, err);
	if (r == 0)
		r = copy_blob(a, &manifest.config, err);
	for (size_t i = 0; r == 0 && i < manifest.layers.n; i++)
		r = copy_blob(a, &manifest.layers.items[i], err);
	return r < 0 ? r : manifest_put(a->to.session, of->digest, &document, err);
}

static int copy_referrers(struct artifacts *a, const char *digest, int depth, struct err *err)
{
	struct referrers found, there;
	int r = referrers_list(a->from.session, a->arena, digest, &found, err);

	if (r < 0 || found.list.n == 0)
		return r;
	if (depth == DEPTH_MAX)
		return err_user(err, "more than %d things that refer to each other", DEPTH_MAX);
	for (size_t i = 0; r == 0 && i < found.list.n; i++) {
		const struct descriptor *of = &found.list.items[i];

		access_say(&a->request->watch, "copying %s (%s)", of->digest,
			   of->artifact_type ? of->artifact_type : of->media_type);
		r = copy_manifest(a, of, err);
		a->n += r == 0;
		if (r == 0)
			r = copy_referrers(a, of->digest, depth + 1, err);
	}
	if (r == 0)
		r = referrers_list(a->to.session, a->arena, digest, &there, err);
	if (r == 0 && there.by_tag)
		r = referrers_add_by_tag(a->to.session, a->arena, digest, &there, &found.list, err);
	return r;
}

int transfer_artifacts(const struct store *store, struct arena *arena,
		       const struct artifacts_request *request, size_t *ret_n, struct err *err)
{
	struct artifacts a = { .store = store, .arena = arena, .request = request };
	int r = open_side(&a, &a.from, &request->from_access, request->from, false, err);

	if (r == 0)
		r = open_side(&a, &a.to, &request->to_access, request->to, true, err);
	if (r == 0)
		r = copy_referrers(&a, request->digest, 0, err);
	session_free(a.from.session);
	session_free(a.to.session);
	if (r < 0)
		return err_context(err, "copy what refers to %s", request->digest);
	*ret_n = a.n;
	return 0;
}
