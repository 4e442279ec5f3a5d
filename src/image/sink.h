/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where bytes go that come one after the other: a blob, a file, what compresses them. The other end of a stream (stream.h). */
#ifndef TARE_IMAGE_SINK_H
#define TARE_IMAGE_SINK_H

#include "base/err.h"

#include <stddef.h>

struct sink {
	/* write() - all of @bytes. Return: 0; -errno with @err */
	int (*write)(struct sink *sink, const void *bytes, size_t len, struct err *err);
};

/* A file from where it stands. */
struct fd_sink {
	struct sink sink;
	int fd; /* borrowed */
};

void fd_sink_init(struct fd_sink *sink, int fd);

#endif
