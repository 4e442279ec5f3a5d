/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/stream.h"

#include <unistd.h>

static ssize_t fd_read(struct stream *stream, void *buf, size_t size, struct err *err)
{
	const struct fd_stream *file = (const struct fd_stream *)(const void *)stream;
	ssize_t n;

	do {
		n = read(file->fd, buf, size);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? err_sys(err, "read compressed bytes") : n;
}

void fd_stream_init(struct fd_stream *stream, int fd)
{
	*stream = (struct fd_stream){ .stream.read = fd_read, .fd = fd };
}
