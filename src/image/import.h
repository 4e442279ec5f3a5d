/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is on this machine becomes a layer: the tar of a root filesystem, compressed or not; a directory; a single program. */
#ifndef TARE_IMAGE_IMPORT_H
#define TARE_IMAGE_IMPORT_H

#include "base/arena.h"
#include "image/layer_make.h"

struct import {
	enum media_compression compression; /* of the layer's blob */
	int64_t newest;                     /* as of struct pack_options, for what is no tar */
	uint64_t limit;                     /* bytes that a tar may inflate to */
};

struct imported {
	struct made_layer layer;
	const char *program; /* its path in the image, if it is a single program; else NULL */
	unsigned sockets;    /* left out */
};

/*
 * import_layer() - make a layer
 * @path: a file or directory; "-": a tar on standard input
 *
 * A file that is an ELF program must need no loader, since it is alone in its image.
 * Return: 0; -EINVAL if it is nothing of these; -errno
 */
int import_layer(const struct store *store, struct arena *arena, const char *path,
		 const struct import *import, struct imported *ret, struct err *err) MUST_CHECK;

#endif
