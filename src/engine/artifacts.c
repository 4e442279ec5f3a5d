/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/artifacts.h"

#include "image/blob.h"
#include "registry/referrers.h"
#include "registry/upload.h"
#include "spec/media_type.h"

#include <string.h>

/* A signature of an SBOM of an image; nobody goes further. */
#define DEPTH_MAX 4

static const char *shown_type(const struct descriptor *of)
{
	return of->artifact_type ? of->artifact_type : of->media_type;
}

/* ---- to the store ------------------------------------------------------------------------------------------------- */

struct getting {
	const struct store *store;
	struct arena *arena;
	struct session *session;
	const struct transfer_watch *watch;
	struct artifact_list found;
};

static int get_blobs(const struct getting *g, const char *name, const struct manifest *document,
		     struct err *err)
{
	struct image_manifest manifest;
	int r = image_manifest_read(g->arena, name, document->text, document->len, &manifest, err);

	if (r == 0)
		r = fetch_blob(g->store, g->session, &manifest.config, NULL, err);
	for (size_t i = 0; r >= 0 && i < manifest.layers.n; i++)
		r = fetch_blob(g->store, g->session, &manifest.layers.items[i], NULL, err);
	return r < 0 ? r : 0;
}

/* Return: 1 if it is in the list now; 0 if it was left out; -errno */
static int take(struct getting *g, const struct descriptor *of, const struct manifest *document,
		const char *subject, struct err *err)
{
	const struct descriptor itself = { .media_type = document->media_type,
					   .digest = of->digest,
					   .size = document->len };
	struct artifact artifact = { .subject = "" };
	int r;

	if (media_type_find(document->media_type)->kind != MEDIA_MANIFEST)
		return err_user(err, "%s is no manifest but of type \"%.100s\"", of->digest,
				document->media_type);
	r = artifact_read(g->arena, &itself, document->text, document->len, &artifact, err);
	if (r < 0)
		return r;
	if (strcmp(artifact.subject, subject) != 0) {
		access_say(g->watch, "warning: %s is listed and does not refer to %s: left out",
			   of->digest, subject);
		return 0;
	}
	r = get_blobs(g, of->digest, document, err);
	if (r == 0)
		r = keep_document(g->store, document, err);
	if (r == 0)
		artifacts_add(g->arena, &g->found, &artifact);
	return r < 0 ? r : 1;
}

/* Return: as take() */
static int get_one(struct getting *g, const struct descriptor *of, const char *subject,
		   struct err *err)
{
	struct err missing = ERR_INIT;
	struct manifest document;
	int r;

	if (artifacts_has(&g->found, of->digest))
		return 0;
	access_say(g->watch, "getting %s (%s)", of->digest, shown_type(of));
	r = manifest_get(g->session, g->arena, of->digest, &document, &missing);
	if (r == -ENOENT) {
		access_say(g->watch, "warning: %s is listed and no longer there: left out",
			   of->digest);
		return 0;
	}
	if (r < 0)
		*err = missing;
	return r < 0 ? r : take(g, of, &document, subject, err);
}

static int get_referrers(struct getting *g, const char *subject, int depth, struct err *err)
{
	struct referrers there;
	int r = referrers_list(g->session, g->arena, subject, &there, err);

	if (r < 0 || !there.list.n)
		return r;
	if (depth == DEPTH_MAX)
		return err_user(err, "more than %d things that refer to each other", DEPTH_MAX);
	for (size_t i = 0; r >= 0 && i < there.list.n; i++) {
		r = get_one(g, &there.list.items[i], subject, err);
		if (r > 0)
			r = get_referrers(g, there.list.items[i].digest, depth + 1, err);
	}
	return r < 0 ? r : 0;
}

/* The last place is the registry itself; mirrors need not have what was pushed later. */
static int open_registry(struct arena *arena, const struct access *access,
			 const struct reference *reference, struct session **ret, struct err *err)
{
	struct endpoint_list places;
	int r = registries_endpoints(arena, &access->registries, reference, false, &places, err);

	return r < 0 ? r
		     : access_session(access, &places.items[places.n - 1], false, NULL, ret, err);
}

int artifacts_get(const struct store *store, struct arena *arena, const struct access *access,
		  const struct reference *reference, const struct transfer_watch *watch,
		  const struct str_list *subjects, struct artifact_list *ret, struct err *err)
{
	struct getting g = { .store = store, .arena = arena, .watch = watch };
	int r = open_registry(arena, access, reference, &g.session, err);

	for (size_t i = 0; r == 0 && i < subjects->n; i++) {
		r = get_referrers(&g, subjects->items[i], 0, err);
		if (r < 0)
			err_context(err, "get what refers to %s", subjects->items[i]);
	}
	session_free(g.session);
	if (r == 0)
		*ret = g.found;
	return r;
}

/* ---- from the store ----------------------------------------------------------------------------------------------- */

static int put_blob(const struct store *store, struct session *session,
		    const struct descriptor *blob, struct err *err)
{
	struct upload upload = { .digest = blob->digest };
	defer_close int fd = blob_open(store, blob->digest, &upload.size, err);
	int r;

	if (fd < 0)
		return fd;
	upload.fd = fd;
	r = upload_blob(session, &upload, NULL, err);
	return r < 0 ? r : 0;
}

static int put_one(const struct store *store, struct arena *arena, struct session *session,
		   const struct descriptor *of, struct err *err)
{
	struct manifest document = { .media_type = of->media_type };
	struct image_manifest manifest;
	char *text;
	int r = blob_read(store, arena, of->digest, IMAGE_MANIFEST_MAX_BYTES, &text, &document.len,
			  err);

	if (r == 0)
		r = image_manifest_read(arena, of->digest, text, document.len, &manifest, err);
	if (r == 0)
		r = put_blob(store, session, &manifest.config, err);
	for (size_t i = 0; r == 0 && i < manifest.layers.n; i++)
		r = put_blob(store, session, &manifest.layers.items[i], err);
	if (r < 0)
		return r;
	document.text = text;
	memcpy(document.digest, of->digest, strlen(of->digest) + 1);
	return manifest_put(session, of->digest, &document, err);
}

/* All that refer to the same as the first of them, unless an earlier one did. */
static int list_with(struct arena *arena, struct session *session, const struct artifact_list *list,
		     size_t first, struct err *err)
{
	const char *subject = list->items[first].subject;
	struct descriptor_list same = { arena_array(arena, list->n, sizeof(*same.items)), 0 };

	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->items[i].subject, subject) != 0)
			continue;
		if (i < first)
			return 0;
		same.items[same.n++] = list->items[i].manifest;
	}
	return referrers_add(session, arena, subject, &same, err);
}

int artifacts_put(const struct store *store, struct arena *arena, struct session *session,
		  const struct transfer_watch *watch, const struct artifact_list *list,
		  struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->n; i++) {
		const struct descriptor *of = &list->items[i].manifest;

		access_say(watch, "sending %s (%s)", of->digest, shown_type(of));
		r = put_one(store, arena, session, of, err);
		if (r < 0)
			err_context(err, "send %s, which refers to %s", of->digest,
				    list->items[i].subject);
	}
	for (size_t i = 0; r == 0 && i < list->n; i++)
		r = list_with(arena, session, list, i, err);
	return r;
}
