/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compressing what we write: the same bytes give the same bytes on every machine (with the same library), and no time and no name
 * of a file is in them. That is why gzip is zlib's work here and not ISA-L's, whose output hangs on what the processor can do.
 */
#ifndef TARE_IMAGE_DEFLATE_H
#define TARE_IMAGE_DEFLATE_H

#include "image/sink.h"
#include "spec/media_type.h"

struct deflate;

/* deflate_new() - compress what is written into deflate_sink() and write it to @out, borrowed until deflate_free() */
int deflate_new(enum media_compression method, struct sink *out, struct deflate **ret,
		struct err *err) MUST_CHECK;

/* deflate_free() - NULL is fine */
void deflate_free(struct deflate *deflate);

struct sink *deflate_sink(struct deflate *deflate);

/* deflate_end() - that was all */
int deflate_end(struct deflate *deflate, struct err *err) MUST_CHECK;

#endif
