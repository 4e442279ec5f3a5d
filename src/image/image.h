/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image as a whole: from what a person types to the documents of the one image that is meant.
 *
 * A person gives a name, complete or short, or the beginning of an id. Names go before ids. A short name means what the store
 * has: this machine's own image (localhost/...) before others; if several registries' images could be meant, none is taken
 * silently.
 *
 * An image's id is the digest of its config, as docker and podman show it: it is the same whatever registry it came from.
 */
#ifndef TARE_IMAGE_IMAGE_H
#define TARE_IMAGE_IMAGE_H

#include "image/refs.h"
#include "spec/platform.h"

/* Digits of an id that people are shown, and the fewest that they may give. */
#define IMAGE_ID_SHORT 12
#define IMAGE_ID_MIN   4

/* Indexes in indexes; builders write two at most. */
#define IMAGE_INDEX_DEPTH_MAX 4

struct image {
	struct descriptor entry; /* in index.json */
	const char *name;        /* NULL: it has lost its name */
	const char *digest;      /* of its manifest */
	const char *id;          /* digest of its config */
	struct image_manifest manifest;
	struct image_config config;
	uint64_t size; /* bytes of its config and layers, compressed as they are */
};

/* image_size() - bytes of its config and layers, as they are */
uint64_t image_size(const struct image_manifest *manifest);

/* image_host_platform() - that of this machine; strings in @arena */
struct platform image_host_platform(struct arena *arena);

/*
 * image_load() - read the documents of an entry of index.json
 * @wanted: which image of an index; borrowed
 *
 * Return: 0; -ENOENT with @err if a document is missing, or the index has nothing for @wanted; -EINVAL if it is no image but
 * an artifact, or a document is malformed; -errno
 */
int image_load(const struct store *store, struct arena *arena, const struct descriptor *entry,
	       const struct platform *wanted, struct image *ret, struct err *err) MUST_CHECK;

/*
 * image_find_entry() - the entry of index.json that @text means: a name, or the beginning of an id
 *
 * Return: 0; -ENOENT if there is none; -EINVAL if @text can't be a name, or means more than one (the error has the
 * candidates); -errno
 */
int image_find_entry(const struct store *store, struct arena *arena, const char *text,
		     struct descriptor *ret, struct err *err) MUST_CHECK;

/* image_find() - image_find_entry(), then image_load() */
int image_find(const struct store *store, struct arena *arena, const char *text,
	       const struct platform *wanted, struct image *ret, struct err *err) MUST_CHECK;

/*
 * image_layer_steps() - which entry of the history made each layer
 * @ret: as many as there are layers; NULL for one that nobody wrote down
 *
 * A history may be shorter than the layers, where something without one was gone on with: then it is of the topmost.
 */
void image_layer_steps(const struct image_config *config, const struct image_history **ret);

/* image_short_id() - the digits of a digest that people are shown. @buf: IMAGE_ID_SHORT + 1 bytes. Return: @buf */
char *image_short_id(const char *digest, char *buf);

#endif
