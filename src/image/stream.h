/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes that come one after the other, from wherever: a blob, a download that is still going on, what was inflated. */
#ifndef TARE_IMAGE_STREAM_H
#define TARE_IMAGE_STREAM_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct stream {
	/*
	 * read() - the next bytes
	 * @size: at least 1
	 *
	 * Return: how many; 0 at the end; -errno with @err
	 */
	ssize_t (*read)(struct stream *stream, void *buf, size_t size, struct err *err);
};

/* A file from where it stands. */
struct fd_stream {
	struct stream stream;
	int fd; /* borrowed */
};

void fd_stream_init(struct fd_stream *stream, int fd);

#endif
