/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/archive_sink.h"

#include <archive.h>

static la_ssize_t write_out(struct archive *archive, void *arg, const void *bytes, size_t len)
{
	struct archive_sink *sink = arg;

	if (sink->out->write(sink->out, bytes, len, sink->err) < 0) {
		archive_set_error(archive, EIO, "%s", sink->err->text);
		return -1;
	}
	return (la_ssize_t)len;
}

int archive_sink_open(struct archive_sink *sink, struct archive *archive)
{
	if (archive_write_set_bytes_per_block(archive, 0) != ARCHIVE_OK ||
	    archive_write_open(archive, sink, NULL, write_out, NULL) != ARCHIVE_OK)
		return archive_sink_failed(sink, archive, "begin to write a tar");
	return 0;
}

int archive_sink_failed(struct archive_sink *sink, struct archive *archive, const char *what)
{
	return sink->err->code ? sink->err->code
			       : err_user(sink->err, "%s: %s", what, archive_error_string(archive));
}
