/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/deflate.h"

#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define OUTPUT_BYTES ((size_t)128 * 1024)
/* zlib writes a gzip header for a window of more than 15 bits. */
#define GZIP_WINDOW (15 + 16)
#define GZIP_MEMORY 8
#define ZSTD_LEVEL  3

struct deflate {
	struct sink sink; /* first: what is written into it is compressed */
	struct sink *out;
	enum media_compression method;
	bool gzip_begun;
	z_stream gzip;
	ZSTD_CCtx *zstd;
	unsigned char output[OUTPUT_BYTES];
};

static int gzip(struct deflate *d, const void *bytes, size_t len, int flush, struct err *err)
{
	int r;

	d->gzip.next_in = (Bytef *)(uintptr_t)bytes;
	d->gzip.avail_in = (uInt)len;
	do {
		size_t n;

		d->gzip.next_out = d->output;
		d->gzip.avail_out = OUTPUT_BYTES;
		r = deflate(&d->gzip, flush);
		if (r == Z_STREAM_ERROR)
			return err_bug(err, "compress by gzip: %s", d->gzip.msg ?: "no reason");
		n = OUTPUT_BYTES - d->gzip.avail_out;
		if (n && d->out->write(d->out, d->output, n, err) < 0)
			return err->code;
	} while (d->gzip.avail_out == 0);
	return 0;
}

static int zstd(struct deflate *d, const void *bytes, size_t len, ZSTD_EndDirective end,
		struct err *err)
{
	ZSTD_inBuffer in = { bytes, len, 0 };
	size_t left;

	do {
		ZSTD_outBuffer out = { d->output, OUTPUT_BYTES, 0 };

		left = ZSTD_compressStream2(d->zstd, &out, &in, end);
		if (ZSTD_isError(left))
			return err_bug(err, "compress by zstd: %s", ZSTD_getErrorName(left));
		if (out.pos && d->out->write(d->out, d->output, out.pos, err) < 0)
			return err->code;
	} while (end == ZSTD_e_end ? left != 0 : in.pos < in.size);
	return 0;
}

/* zlib counts in 32 bits. */
#define PIECE_BYTES ((size_t)1 << 30)

static int write_deflated(struct sink *sink, const void *bytes, size_t len, struct err *err)
{
	struct deflate *d = (struct deflate *)(void *)sink;
	const char *at = bytes;
	int r = 0;

	if (d->method == COMPRESSION_NONE)
		return d->out->write(d->out, bytes, len, err);
	if (d->method == COMPRESSION_ZSTD)
		return zstd(d, bytes, len, ZSTD_e_continue, err);
	while (r == 0 && len) {
		size_t n = len < PIECE_BYTES ? len : PIECE_BYTES;

		r = gzip(d, at, n, Z_NO_FLUSH, err);
		at += n;
		len -= n;
	}
	return r;
}

static bool begin(struct deflate *d)
{
	switch (d->method) {
	case COMPRESSION_GZIP:
		d->gzip_begun = deflateInit2(&d->gzip, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
					     GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) == Z_OK;
		return d->gzip_begun;
	case COMPRESSION_ZSTD:
		d->zstd = ZSTD_createCCtx();
		return d->zstd &&
		       !ZSTD_isError(ZSTD_CCtx_setParameter(d->zstd, ZSTD_c_compressionLevel,
							    ZSTD_LEVEL)) &&
		       !ZSTD_isError(ZSTD_CCtx_setParameter(d->zstd, ZSTD_c_checksumFlag, 1));
	default:
		return true;
	}
}

int deflate_new(enum media_compression method, struct sink *out, struct deflate **ret,
		struct err *err)
{
	struct deflate *d = calloc(1, sizeof(*d));

	if (!d)
		return err_set(err, -ENOMEM, "begin to compress");
	d->sink.write = write_deflated;
	d->out = out;
	d->method = method;
	if (!begin(d)) {
		deflate_free(d);
		return err_set(err, -ENOMEM, "begin to compress");
	}
	*ret = d;
	return 0;
}

void deflate_free(struct deflate *d)
{
	if (!d)
		return;
	if (d->gzip_begun)
		(void)deflateEnd(&d->gzip);
	ZSTD_freeCCtx(d->zstd);
	free(d);
}

struct sink *deflate_sink(struct deflate *d)
{
	return &d->sink;
}

int deflate_end(struct deflate *d, struct err *err)
{
	switch (d->method) {
	case COMPRESSION_GZIP:
		return gzip(d, NULL, 0, Z_FINISH, err);
	case COMPRESSION_ZSTD:
		return zstd(d, NULL, 0, ZSTD_e_end, err);
	default:
		return 0;
	}
}
