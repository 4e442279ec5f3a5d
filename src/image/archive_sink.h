/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libarchive writes goes into a sink; and what the sink says about it is not lost on the way. */
#ifndef TARE_IMAGE_ARCHIVE_SINK_H
#define TARE_IMAGE_ARCHIVE_SINK_H

#include "image/sink.h"

struct archive;

struct archive_sink {
	struct sink *out; /* borrowed */
	struct err *err;  /* filled by @out */
};

/* archive_sink_open() - from now on @archive writes into @sink, without padding. Return: 0; -errno with its err */
int archive_sink_open(struct archive_sink *sink, struct archive *archive) MUST_CHECK;

/* archive_sink_failed() - after libarchive has refused something: what the sink said, or "@what: " and what libarchive says */
int archive_sink_failed(struct archive_sink *sink, struct archive *archive, const char *what);

#endif
