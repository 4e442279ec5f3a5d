/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What refers to an image: signatures, SBOMs, attestations; manifests whose "subject" it is.
 *
 * In the store, and in every layout that we write, such a manifest is an entry of index.json without a name; what it is follows
 * from the manifest alone. It belongs to its subject: it is needed as long as that is (reach.h), and goes with it. In layouts of
 * others it may also stand in an index that is named by the tag of its subject's digest, as in a registry without lists.
 *
 * Spec: image-spec manifest.md "subject", "artifactType"; distribution-spec "Referrers Tag Schema"
 */
#ifndef TARE_IMAGE_ARTIFACTS_H
#define TARE_IMAGE_ARTIFACTS_H

#include "image/store.h"
#include "spec/image.h"

struct artifact {
	/* as it stands in a list: with the type and the annotations that the manifest itself says */
	struct descriptor manifest;
	const char *subject; /* a digest */
	uint64_t size;       /* bytes of its config and layers */
};

struct artifact_list {
	struct artifact *items;
	size_t n;
};

/*
 * artifact_read() - what a manifest says that it refers to
 * @of: its media type, digest and size
 *
 * Strings of @ret are in @arena, or those of @of.
 * Return: 0; 1 if it refers to nothing, or is no manifest; -EINVAL if it is malformed
 */
int artifact_read(struct arena *arena, const struct descriptor *of, const char *text, size_t len,
		  struct artifact *ret, struct err *err) MUST_CHECK;

/* artifacts_add() - Return: is it new in the list */
bool artifacts_add(struct arena *arena, struct artifact_list *list, const struct artifact *what);

/* artifacts_has() - is a manifest of this digest in the list */
bool artifacts_has(const struct artifact_list *list, const char *digest);

/*
 * artifacts_listed() - those that an index.json lists and the store has; what can't be read is none
 *
 * It may be the store's own, or that of a layout whose blobs are in the store.
 */
void artifacts_listed(const struct store *store, struct arena *arena,
		      const struct image_index *index, struct artifact_list *ret);

/* artifacts_in_store() - artifacts_listed() of the store's own index.json */
int artifacts_in_store(const struct store *store, struct arena *arena, struct artifact_list *ret,
		       struct err *err) MUST_CHECK;

/*
 * artifacts_of() - those that belong to an image: refer to it, to a manifest in it, or to one of these
 * @all:    among which to look
 * @digest: of the image's manifest or index, in the store
 * @ret:    what it has already stays, and is not there twice
 */
int artifacts_of(const struct store *store, struct arena *arena, const struct artifact_list *all,
		 const char *digest, struct artifact_list *ret, struct err *err) MUST_CHECK;

/* artifacts_keep() - give them their entries in the store's index.json. Should be done before the image gets its name */
int artifacts_keep(const struct store *store, const struct artifact_list *list,
		   struct err *err) MUST_CHECK;

#endif
