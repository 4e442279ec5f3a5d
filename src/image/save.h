/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images into a file. One tar is an OCI image layout and docker's archive at once: index.json and manifest.json name the same blobs,
 * so whoever knows one of the two can read it. Every blob is verified as it goes by. The same images give the same bytes.
 *
 * Spec: image-spec image-layout.md; docker's "Docker Image Specification v1.2" (manifest.json)
 */
#ifndef TARE_IMAGE_SAVE_H
#define TARE_IMAGE_SAVE_H

#include "image/image.h"
#include "image/sink.h"

struct save_list {
	const struct image *items; /* whole images of one platform each */
	const char *const *names;  /* of each; NULL: it has none */
	size_t n;
	bool oci_only; /* without docker's manifest.json */
};

/* save_tar() - write them as one tar */
int save_tar(const struct store *store, struct arena *arena, const struct save_list *images,
	     struct sink *out, struct err *err) MUST_CHECK;

/* save_layout() - write them into a directory, which must be empty, as an OCI image layout */
int save_layout(const struct store *store, struct arena *arena, const struct save_list *images,
		int dir, struct err *err) MUST_CHECK;

#endif
