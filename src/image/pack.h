/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory becomes a layer's tar: the way back of layer.h, and unpacking what was packed gives the same tree.
 *
 * The same tree gives the same bytes: entries are sorted by their names, owners are numbers only, access and change times are
 * left out, and holes are written as the zeros that they read as, since where they are is the filesystem's affair.
 *
 * Spec: image-spec layer.md "Creating", "Representing Changes"; pax(1)
 */
#ifndef TARE_IMAGE_PACK_H
#define TARE_IMAGE_PACK_H

#include "image/sink.h"
#include "os/walk.h"

#include <stdbool.h>
#include <stdint.h>

#define PACK_TIMES_KEPT INT64_MAX

struct pack_options {
	/*
	 * The directory is an upper one of overlayfs: its whiteouts and opaque directories become ".wh." entries. If it is not, a
	 * character device 0/0 is refused.
	 */
	bool is_upper;
	bool is_whole; /* no layer, but all that there is: names that begin with ".wh." are names */
	int64_t newest; /* seconds; later times of modification become this (SOURCE_DATE_EPOCH); PACK_TIMES_KEPT */
	/*
	 * choose() - is a node to be packed; NULL: all are
	 * Return: 0; 1: neither it nor what is below it, but for the root, which is only left out itself; < 0 with @err
	 */
	int (*choose)(void *arg, const struct walk_node *node, struct err *err);
	void *arg;
};

struct pack_result {
	uint64_t entries;
	unsigned
		sockets; /* left out, since no tar can have one, and nobody listens on it any more */
};

/*
 * pack_tree() - write the tar of @root and everything below it
 * @root: borrowed; should not change meanwhile: a file that does is refused
 *
 * Return: 0; -EINVAL for what no layer can say, with its name; -errno
 */
int pack_tree(int root, const struct pack_options *options, struct sink *out,
	      struct pack_result *ret, struct err *err) MUST_CHECK;

/*
 * pack_program() - write the tar of one file, which all may read and execute
 * @fd:   open for reading
 * @name: its name in the root of the tar
 */
int pack_program(int fd, const char *name, const struct pack_options *options, struct sink *out,
		 struct err *err) MUST_CHECK;

#endif
