/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A new image: an old one, or nothing, with one layer more and another config. The same parts give the same digests. */
#ifndef TARE_IMAGE_COMPOSE_H
#define TARE_IMAGE_COMPOSE_H

#include "image/image.h"
#include "image/layer_make.h"

struct composition {
	const struct image *base;       /* NULL: of nothing */
	const struct made_layer *layer; /* on top of the base's; NULL: only the config changes */
	const struct image_process *process;
	struct platform platform;         /* without a base */
	const char *created;              /* RFC 3339 */
	const char *author;               /* NULL: the base's */
	const char *created_by, *comment; /* for the history; NULL */
};

/* compose_image() - put config and manifest into the store; nobody names them yet. @ret: of the manifest, in @arena */
int compose_image(const struct store *store, struct arena *arena, const struct composition *what,
		  struct descriptor *ret, struct err *err) MUST_CHECK;

/*
 * compose_created() - when an image that is made now was made: SOURCE_DATE_EPOCH if that is set
 * @ret_newest: for struct pack_options; PACK_TIMES_KEPT without it
 *
 * Return: 0; -EINVAL if the variable is no number
 */
int compose_created(struct arena *arena, const char **ret, int64_t *ret_newest,
		    struct err *err) MUST_CHECK;

#endif
