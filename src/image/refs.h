/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of images: entries of index.json that carry the annotation org.opencontainers.image.ref.name.
 *
 * A name is a whole reference ("docker.io/library/nginx:latest"). An entry without a name is an image that lost its name to a
 * newer one; it stays until somebody removes it. What other tools wrote into index.json stays as they wrote it.
 *
 * Spec: image-spec image-layout.md "index.json file", annotations.md
 */
#ifndef TARE_IMAGE_REFS_H
#define TARE_IMAGE_REFS_H

#include "base/string_map.h"
#include "image/store.h"
#include "spec/image.h"

#define REF_NAME_ANNOTATION "org.opencontainers.image.ref.name"

/* What index.json may be at most: some ten thousand images. */
#define REFS_MAX_BYTES IMAGE_MANIFEST_MAX_BYTES

/* refs_read() - index.json as it is now. Takes no lock: it is replaced as a whole */
int refs_read(const struct store *store, struct arena *arena, struct image_index *ret,
	      struct err *err) MUST_CHECK;

/* refs_name() - the name of an entry of index.json, or NULL */
const char *refs_name(const struct descriptor *entry);

/* refs_find() - what @name names. Return: 0; -ENOENT with @err; -errno */
int refs_find(const struct store *store, struct arena *arena, const char *name,
	      struct descriptor *ret, struct err *err) MUST_CHECK;

/*
 * refs_set() - let @name name @target from now on
 * @name:   NULL: let it be in the store without one, unless it has one
 * @target: media type, digest, size, platform and artifact type are used
 *
 * What had the name before stays as an entry without one, unless it has another. Should be called when all blobs of
 * @target are in the store: who reads index.json goes on to read them.
 */
int refs_set(const struct store *store, const char *name, const struct descriptor *target,
	     struct err *err) MUST_CHECK;

/* refs_remove() - remove the entry of @name. Return: 0; -ENOENT with @err; -errno */
int refs_remove(const struct store *store, const char *name, struct err *err) MUST_CHECK;

/*
 * refs_drop() - remove the entries without a name that have one of these digests; others are passed over
 *
 * Must be called under the store's lock.
 */
int refs_drop(const struct store *store, const struct string_map *digests,
	      struct err *err) MUST_CHECK;

/* refs_remove_unnamed() - remove the entry without a name that has this digest. Return: as refs_remove() */
int refs_remove_unnamed(const struct store *store, const char *digest, struct err *err) MUST_CHECK;

#endif
