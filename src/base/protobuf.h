/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wire format of protocol buffers: a message is a row of fields, each a number, a wire type and a value. What the
 * fields mean is the caller's table; nothing is generated.
 *
 * Spec: protobuf.dev "Encoding"
 */
#ifndef TARE_BASE_PROTOBUF_H
#define TARE_BASE_PROTOBUF_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

/* The largest field number that the format has room for. */
#define PROTOBUF_MAX_FIELD ((1u << 29) - 1)

/* A message that is being written; zeroed but for its arena. */
struct protobuf_writer {
	struct arena *arena; /* the bytes grow in it */
	uint8_t *bytes;
	size_t len, size;
};

/* protobuf_put_int() - an int32, int64, enum or bool; negative ones as 64 bits, which the format wants */
void protobuf_put_int(struct protobuf_writer *w, uint32_t field, int64_t value);

/* protobuf_put_bytes(), protobuf_put_text() - a string, bytes or the bytes of a message inside this one */
void protobuf_put_bytes(struct protobuf_writer *w, uint32_t field, const void *bytes, size_t len);
void protobuf_put_text(struct protobuf_writer *w, uint32_t field, const char *text);

/* A message that is being read; both borrowed. */
struct protobuf_reader {
	const uint8_t *at, *end;
};

struct protobuf_field {
	uint32_t number; /* 1..PROTOBUF_MAX_FIELD */
	bool is_bytes;   /* else it is a number: @value */
	uint64_t value;
	const uint8_t *bytes; /* inside the message; no NUL behind them */
	size_t len;
};

/*
 * protobuf_next() - the next field
 * Return: 1; 0 at the end; -EPROTO if this is no message (cut off, a field number out of range, groups)
 */
int protobuf_next(struct protobuf_reader *reader, struct protobuf_field *ret) MUST_CHECK;

#endif
