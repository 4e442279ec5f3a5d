/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images into a file. One tar is an OCI image layout and docker's archive at once: index.json and manifest.json name the same blobs,
 * so whoever knows one of the two can read it. Every blob is verified as it goes by. The same images give the same bytes.
 *
 * Spec: image-spec image-layout.md; docker's "Docker Image Specification v1.2" (manifest.json)
 */
#ifndef TARE_IMAGE_SAVE_H
#define TARE_IMAGE_SAVE_H

#include "image/artifacts.h"
#include "image/image.h"
#include "image/sink.h"

struct save_list {
	const struct image *items; /* whole images of one platform each */
	const char *const *names;  /* of each; NULL: it has none */
	size_t n;
	struct artifact_list artifacts; /* that go with them (artifacts_of()) */
	bool oci_only;                  /* without docker's manifest.json */
	bool tags; /* names are those of a layout, and need not be whole references */
};

/* save_tar() - write them as one tar */
int save_tar(const struct store *store, struct arena *arena, const struct save_list *images,
	     struct sink *out, struct err *err) MUST_CHECK;

/*
 * save_layout() - write them into a directory as an OCI image layout
 * @dir: empty, or one already: what has one of the names there loses it, as in the store, and all else stays
 *
 * Whoever reads the directory meanwhile, or after a kill, finds what was there or all of it.
 */
int save_layout(const struct store *store, struct arena *arena, const struct save_list *images,
		int dir, struct err *err) MUST_CHECK;

#endif
