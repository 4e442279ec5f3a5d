/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking an image's names away, and with the last of them the image. */
#ifndef TARE_IMAGE_REMOVE_H
#define TARE_IMAGE_REMOVE_H

#include "image/refs.h"

#include <stdbool.h>

struct image_removal {
	struct str_list names; /* that were taken away */
	const char *digest; /* of the entry that is gone with its last name; NULL: it has others */
};

/*
 * image_remove() - remove what @text means: a name, or an image by its id
 * @force: by its id also if it has several names
 *
 * Its blobs and layers are garbage then, for gc_collect(). Refuses to take the last name of an image that a container was made of.
 * Return: 0; -ENOENT; -EBUSY if a container needs it; -EINVAL; -errno
 */
int image_remove(const struct store *store, struct arena *arena, const char *text, bool force,
		 struct image_removal *ret, struct err *err) MUST_CHECK;

#endif
