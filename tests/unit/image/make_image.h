/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small images for tests of the store. */
#ifndef TARE_TESTS_MAKE_IMAGE_H
#define TARE_TESTS_MAKE_IMAGE_H

#include "image/layers.h"
#include "spec/digest.h"

struct made_image {
	char layer[DIGEST_TEXT_MAX], diff_id[DIGEST_TEXT_MAX], config[DIGEST_TEXT_MAX],
		manifest[DIGEST_TEXT_MAX];
	char layer_name[LAYER_NAME_MAX];
	size_t manifest_size;
};

/* make_image() - put an image with one layer with one file of this content into the store; nobody names it. Fails the test */
void make_image(const struct store *store, const char *content, struct made_image *ret);

/* make_image_named() - the same with a name, and its layer unpacked */
void make_image_named(const struct store *store, const char *content, const char *name,
		      struct made_image *ret);

/* name_image() - give it a name */
void name_image(const struct store *store, const struct made_image *image, const char *name);

/* count_names() - how many names a directory has, "." and ".." not counted */
int count_names(int dir, const char *path);

#endif
