/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A new layer: what is written into it is hashed, compressed, hashed again, and is a blob of the store at the end. */
#ifndef TARE_IMAGE_LAYER_MAKE_H
#define TARE_IMAGE_LAYER_MAKE_H

#include "image/pack.h"
#include "image/store.h"
#include "image/stream.h"
#include "spec/media_type.h"

struct made_layer {
	char digest[DIGEST_TEXT_MAX], diff_id[DIGEST_TEXT_MAX];
	uint64_t size;      /* of the blob */
	uint64_t tar_bytes; /* before it was compressed */
	const char *media_type;
};

/*
 * layer_make_fn - write the tar
 * Return: 0; -errno with @err
 */
typedef int layer_make_fn(void *arg, struct sink *tar, struct err *err);

/* layer_make() - a layer of what @fill writes. On failure nothing of it is left */
int layer_make(const struct store *store, enum media_compression compression, layer_make_fn *fill,
	       void *arg, struct made_layer *ret, struct err *err) MUST_CHECK;

/* layer_make_tree() - of a directory */
int layer_make_tree(const struct store *store, enum media_compression compression, int root,
		    const struct pack_options *options, struct pack_result *packed,
		    struct made_layer *ret, struct err *err) MUST_CHECK;

/* layer_make_stream() - of a tar as it comes, which need be none */
int layer_make_stream(const struct store *store, enum media_compression compression,
		      struct stream *tar, struct made_layer *ret, struct err *err) MUST_CHECK;

#endif
