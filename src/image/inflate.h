/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A layer's bytes as they were before they were compressed.
 *
 * What a layer is compressed with is told by its first bytes, not by its media type: many types are wrong, and nobody else goes by
 * them. gzip with any number of members (as pigz and eStargz write it) and zstd with any number of frames, skippable ones
 * too, by ISA-L and libzstd; bzip2 and xz through libarchive; and a plain tar. Nothing may follow the last member but zeros,
 * which tapes and some builders leave.
 */
#ifndef TARE_IMAGE_INFLATE_H
#define TARE_IMAGE_INFLATE_H

#include "image/stream.h"

struct inflate;

/*
 * inflate_new() - inflate what @source gives
 * @source: borrowed until inflate_free()
 * @limit:  more bytes than that are a bomb
 *
 * Reads the first bytes. Return: 0; -errno
 */
int inflate_new(struct stream *source, uint64_t limit, struct inflate **ret,
		struct err *err) MUST_CHECK;

/* inflate_free() - NULL is fine */
void inflate_free(struct inflate *inflate);

/* inflate_name() - what it was compressed with: "gzip", "zstd", "bzip2", "xz", "uncompressed" */
const char *inflate_name(const struct inflate *inflate);

/* inflate_stream() - the bytes as a stream; valid until inflate_free() */
struct stream *inflate_stream(struct inflate *inflate);

/*
 * inflate_read() - the next of the bytes
 * @size: at least 1
 *
 * Return: how many; 0 at the end, when all of @source was read; -EINVAL if it is damaged, cut off, or a bomb; -errno
 */
ssize_t inflate_read(struct inflate *inflate, void *buf, size_t size, struct err *err) MUST_CHECK;

#endif
