/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/artifacts.h"

#include "image/blob.h"
#include "image/image.h"
#include "image/reach.h"
#include "image/refs.h"
#include "spec/media_type.h"

#include <string.h>

int artifact_read(struct arena *arena, const struct descriptor *of, const char *text, size_t len,
		  struct artifact *ret, struct err *err)
{
	struct image_manifest manifest;
	int r;

	if (media_type_find(of->media_type)->kind != MEDIA_MANIFEST)
		return 1;
	r = image_manifest_read(arena, arena_printf(arena, "manifest %s", of->digest), text, len,
				&manifest, err);
	if (r < 0 || !manifest.subject.set)
		return r < 0 ? r : 1;
	*ret = (struct artifact){
		.subject = manifest.subject.digest,
		.size = image_size(&manifest),
		.manifest = { .media_type = of->media_type,
			      .digest = of->digest,
			      .size = of->size,
			      .artifact_type = manifest.artifact_type ? manifest.artifact_type
								      : manifest.config.media_type,
			      .annotations = manifest.annotations }
	};
	return 0;
}

bool artifacts_has(const struct artifact_list *list, const char *digest)
{
	for (size_t i = 0; i < list->n; i++) {
		if (!strcmp(list->items[i].manifest.digest, digest))
			return true;
	}
	return false;
}

bool artifacts_add(struct arena *arena, struct artifact_list *list, const struct artifact *what)
{
	if (artifacts_has(list, what->manifest.digest))
		return false;
	list->items = arena_grow(arena, list->items, list->n, sizeof(*list->items));
	list->items[list->n++] = *what;
	return true;
}

/* ---- which there are ---------------------------------------------------------------------------------------------- */

static int read_document(const struct store *store, struct arena *arena,
			 const struct descriptor *of, char **ret, size_t *ret_len)
{
	struct err ignored = ERR_INIT; /* whoever needs it reads it again, and says what is wrong */

	return blob_read(store, arena, of->digest, IMAGE_MANIFEST_MAX_BYTES, ret, ret_len,
			 &ignored);
}

static void add_if_it_is(const struct store *store, struct arena *arena,
			 const struct descriptor *of, struct artifact_list *ret)
{
	struct err ignored = ERR_INIT;
	struct artifact artifact;
	char *text;
	size_t len;

	if (media_type_find(of->media_type)->kind == MEDIA_MANIFEST &&
	    read_document(store, arena, of, &text, &len) == 0 &&
	    artifact_read(arena, of, text, len, &artifact, &ignored) == 0)
		artifacts_add(arena, ret, &artifact);
}

/* Of the index that the tag of a digest names. */
static void add_list(const struct store *store, struct arena *arena, const struct descriptor *of,
		     struct artifact_list *ret)
{
	struct err ignored = ERR_INIT;
	struct image_index index;
	char *text;
	size_t len;

	if (media_type_find(of->media_type)->kind != MEDIA_INDEX ||
	    read_document(store, arena, of, &text, &len) < 0 ||
	    image_index_read(arena, of->digest, text, len, &index, &ignored) < 0)
		return;
	for (size_t i = 0; i < index.manifests.n; i++)
		add_if_it_is(store, arena, &index.manifests.items[i], ret);
}

void artifacts_listed(const struct store *store, struct arena *arena,
		      const struct image_index *index, struct artifact_list *ret)
{
	*ret = (struct artifact_list){ 0 };
	for (size_t i = 0; i < index->manifests.n; i++) {
		const struct descriptor *entry = &index->manifests.items[i];
		const char *name = refs_name(entry);

		if (!name)
			add_if_it_is(store, arena, entry, ret);
		else if (digest_is_referrers_tag(name))
			add_list(store, arena, entry, ret);
	}
}

int artifacts_in_store(const struct store *store, struct arena *arena, struct artifact_list *ret,
		       struct err *err)
{
	struct image_index index;
	int r = refs_read(store, arena, &index, err);

	if (r == 0)
		artifacts_listed(store, arena, &index, ret);
	return r;
}

/* ---- whose they are ----------------------------------------------------------------------------------------------- */

/* What is missing or damaged is for others to say. */
static int pass_over(void *arg, enum reach_fault fault, const char *digest, const char *by,
		     const struct err *why)
{
	return 0;
}

int artifacts_of(const struct store *store, struct arena *arena, const struct artifact_list *all,
		 const char *digest, struct artifact_list *ret, struct err *err)
{
	struct reach reach;
	size_t before;
	int r;

	if (!all->n)
		return 0;
	reach_init(&reach, store, arena);
	reach.fault = pass_over;
	r = reach_image(&reach, digest, digest, err);
	if (r < 0)
		return r;
	do {
		before = ret->n;
		for (size_t i = 0; i < all->n; i++) {
			const struct artifact *one = &all->items[i];

			if (string_map_find(&reach.blobs, one->subject) &&
			    artifacts_add(arena, ret, one))
				string_map_add(&reach.blobs, one->manifest.digest, NULL);
		}
	} while (ret->n > before);
	return 0;
}

int artifacts_keep(const struct store *store, const struct artifact_list *list, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->n; i++)
		r = refs_set(store, NULL, &list->items[i].manifest, err);
	return r;
}
