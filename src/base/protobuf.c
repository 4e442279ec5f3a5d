/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/protobuf.h"

#include <errno.h>
#include <string.h>

/* Of a number: 7 bits a byte */
#define VARINT_MAX 10

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

static void reserve(struct protobuf_writer *w, size_t len)
{
	size_t size = w->size ? w->size : 256;
	uint8_t *grown;

	if (w->size - w->len >= len)
		return;
	while (size - w->len < len)
		size *= 2;
	grown = arena_alloc(w->arena, size);
	if (w->len)
		memcpy(grown, w->bytes, w->len);
	w->bytes = grown;
	w->size = size;
}

static void put_varint(struct protobuf_writer *w, uint64_t value)
{
	reserve(w, VARINT_MAX);
	for (; value > 0x7f; value >>= 7)
		w->bytes[w->len++] = (uint8_t)(value | 0x80);
	w->bytes[w->len++] = (uint8_t)value;
}

void protobuf_put_int(struct protobuf_writer *w, uint32_t field, int64_t value)
{
	put_varint(w, (uint64_t)field << 3 | WIRE_VARINT);
	put_varint(w, (uint64_t)value);
}

void protobuf_put_bytes(struct protobuf_writer *w, uint32_t field, const void *bytes, size_t len)
{
	put_varint(w, (uint64_t)field << 3 | WIRE_BYTES);
	put_varint(w, len);
	if (len == 0)
		return;
	reserve(w, len);
	memcpy(w->bytes + w->len, bytes, len);
	w->len += len;
}

void protobuf_put_text(struct protobuf_writer *w, uint32_t field, const char *text)
{
	protobuf_put_bytes(w, field, text, strlen(text));
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

static int take_varint(struct protobuf_reader *reader, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 7 * VARINT_MAX; shift += 7) {
		uint8_t byte;

		if (reader->at == reader->end)
			return -EPROTO;
		byte = *reader->at++;
		/* The tenth byte has room for one bit. */
		if (shift == 63 && byte > 1)
			return -EPROTO;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret = value;
			return 0;
		}
	}
	return -EPROTO;
}

static int take_fixed(struct protobuf_reader *reader, size_t len, uint64_t *ret)
{
	uint64_t value = 0;

	if ((size_t)(reader->end - reader->at) < len)
		return -EPROTO;
	for (size_t i = len; i-- > 0;)
		value = value << 8 | reader->at[i];
	reader->at += len;
	*ret = value;
	return 0;
}

static int take_bytes(struct protobuf_reader *reader, struct protobuf_field *ret)
{
	uint64_t len;

	if (take_varint(reader, &len) < 0 || len > (uint64_t)(reader->end - reader->at))
		return -EPROTO;
	ret->is_bytes = true;
	ret->bytes = reader->at;
	ret->len = (size_t)len;
	reader->at += len;
	return 0;
}

int protobuf_next(struct protobuf_reader *reader, struct protobuf_field *ret)
{
	struct protobuf_field field = { 0 };
	uint64_t tag;
	int r;

	if (reader->at == reader->end)
		return 0;
	if (take_varint(reader, &tag) < 0 || tag >> 3 == 0 || tag >> 3 > PROTOBUF_MAX_FIELD)
		return -EPROTO;
	field.number = (uint32_t)(tag >> 3);
	switch (tag & 7) {
	case WIRE_VARINT:
		r = take_varint(reader, &field.value);
		break;
	case WIRE_64:
		r = take_fixed(reader, 8, &field.value);
		break;
	case WIRE_32:
		r = take_fixed(reader, 4, &field.value);
		break;
	case WIRE_BYTES:
		r = take_bytes(reader, &field);
		break;
	default:
		return -EPROTO;
	}
	if (r < 0)
		return r;
	*ret = field;
	return 1;
}
