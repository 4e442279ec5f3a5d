/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images from a file: an OCI image layout, as a directory or as a tar, or what `docker save` writes; compressed or not.
 *
 * A tar is read once, from beginning to end, so it may come through a pipe: each file in it becomes a blob as it goes by, and what
 * they are to each other is looked at when all are there. Blobs of an OCI layout keep every byte. docker's old form has no
 * manifest, so one is made of it; layers stay as they are.
 *
 * Nothing has a name before all that it needs is there; what is not needed after all is garbage for gc_collect().
 *
 * Spec: image-spec image-layout.md; docker's "Docker Image Specification v1.2" (manifest.json)
 */
#ifndef TARE_IMAGE_LOAD_H
#define TARE_IMAGE_LOAD_H

#include "image/artifacts.h"

#include <stddef.h>

/* A layout has a file a blob; no archive of images comes near. */
#define LOAD_FILES_MAX 200000

struct loaded {
	const char *name; /* NULL: it came without one */
	const char *digest;
};
struct loaded_list {
	struct loaded *items;
	size_t n;
	struct artifact_list artifacts; /* that were taken along */
};

/*
 * load_images() - take everything in that is named in an archive or layout
 * @path:  a file or a directory; "-": standard input
 * @name:  of the one image that is in it, in place of its own; NULL
 * @artifacts: also what refers to these images; else it is left
 *
 * A name without a registry becomes localhost/NAME.
 * Return: 0; -EINVAL if it is neither, or if something in it is not what its digest says; -errno
 */
int load_images(const struct store *store, struct arena *arena, const char *path, const char *name,
		bool artifacts, struct loaded_list *ret, struct err *err) MUST_CHECK;

/*
 * load_image() - take one image in, without giving it a name
 * @wanted: what it is called there: its tag in an OCI layout, or a name; NULL: the only one that there is
 * @ret:    in @arena
 * @ret_artifacts: all that is there and refers to something, for artifacts_of()
 *
 * Its blobs stay as long as @store is open, by their leases. All that the archive holds is read, and the rest of it is garbage.
 * Return: as load_images(); -ENOENT if there is none of that name, with those that there are
 */
int load_image(const struct store *store, struct arena *arena, const char *path, const char *wanted,
	       struct descriptor *ret, struct artifact_list *ret_artifacts,
	       struct err *err) MUST_CHECK;

#endif
