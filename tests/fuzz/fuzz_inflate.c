/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inflate_read() with anything: it ends, stays below its limit, and says what was wrong. */
#include "base/defer.h"
#include "image/inflate.h"
#include "promise.h"

#include <string.h>

#define LIMIT 1000000

struct bytes {
	struct stream stream;
	const uint8_t *at;
	size_t left, piece;
};

static ssize_t read_bytes(struct stream *stream, void *buf, size_t size, struct err *err)
{
	struct bytes *bytes = (struct bytes *)(void *)stream;
	size_t n = bytes->left < bytes->piece ? bytes->left : bytes->piece;

	n = n < size ? n : size;
	memcpy(buf, bytes->at, n);
	bytes->at += n;
	bytes->left -= n;
	return (ssize_t)n;
}

/* The first byte says how many the source gives at a time. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes source = { { read_bytes }, data + 1, size - 1, 0 };
	struct inflate *inflate = NULL;
	struct err err = ERR_INIT;
	uint64_t made = 0;
	static char buf[5000];
	ssize_t n;

	if (size == 0)
		return 0;
	source.piece = data[0] + 1u;
	if (inflate_new(&source.stream, LIMIT, &inflate, &err) < 0) {
		PROMISE(err.code < 0 && err.text[0]);
		return 0;
	}
	while ((n = inflate_read(inflate, buf, sizeof(buf), &err)) > 0)
		made += (uint64_t)n;
	PROMISE(made <= LIMIT);
	PROMISE(n == 0 || (err.code < 0 && err.text[0]));
	PROMISE(n < 0 || source.left == 0);
	inflate_free(inflate);
	return 0;
}
