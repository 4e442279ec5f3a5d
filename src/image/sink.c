/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/sink.h"

#include "os/file.h"

static int fd_write(struct sink *sink, const void *bytes, size_t len, struct err *err)
{
	const struct fd_sink *file = (const struct fd_sink *)(const void *)sink;
	int r = os_write_all(file->fd, bytes, len);

	return r < 0 ? err_set(err, r, "write") : 0;
}

void fd_sink_init(struct fd_sink *sink, int fd)
{
	*sink = (struct fd_sink){ .sink.write = fd_write, .fd = fd };
}
