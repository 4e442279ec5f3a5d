/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What content says that it is. OCI's names and docker's mean the same to us; a docker image that is stored keeps its own,
 * because they are part of the bytes that the digest is of.
 *
 * Spec: image-spec media-types.md; docker's "Image Manifest V 2, Schema 2"
 */
#ifndef TARE_SPEC_MEDIA_TYPE_H
#define TARE_SPEC_MEDIA_TYPE_H

#include "base/defer.h"

#include <stdbool.h>

enum media_kind {
	MEDIA_OTHER, /* not known to us: an artifact's */
	MEDIA_INDEX,
	MEDIA_MANIFEST,
	MEDIA_CONFIG,
	MEDIA_LAYER,
	MEDIA_EMPTY, /* "{}", the config of an artifact that has none */
};

/* What the layer says; what its bytes say is what counts, since many are wrong. */
enum media_compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };

struct media_type {
	const char *name;
	enum media_kind kind;
	enum media_compression compression;
	bool docker;
	bool foreign; /* a layer that may only be had from its urls */
};

#define MEDIA_OCI_INDEX    "application/vnd.oci.image.index.v1+json"
#define MEDIA_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_OCI_CONFIG   "application/vnd.oci.image.config.v1+json"
#define MEDIA_OCI_LAYER    "application/vnd.oci.image.layer.v1.tar"

/* media_type_find() - a type by its name; for one that is not known, or NULL, a type of kind MEDIA_OTHER */
const struct media_type *media_type_find(const char *name);

/* media_type_layer() - OCI's name of a layer that is compressed like this */
const char *media_type_layer(enum media_compression compression);

/* media_type_accept() - the @i-th name of an index or a manifest, best first, for a registry's Accept; NULL at the end */
const char *media_type_accept(size_t i);

#endif
