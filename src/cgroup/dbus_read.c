/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Received messages, looked at in place. */
#include "cgroup/dbus_wire.h"

#include <string.h>

/* Fixed part of the header: order, type, flags, version; lengths of body and fields, serial between them. */
#define FIXED_LEN     16
#define BODY_LEN_AT   4
#define SERIAL_AT     8
#define FIELDS_LEN_AT 12

struct reader {
	const uint8_t *data;
	size_t at, len;
};

static uint32_t number_at(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static bool skip(struct reader *r, size_t n)
{
	if (n > r->len - r->at)
		return false;
	r->at += n;
	return true;
}

static bool skip_to(struct reader *r, size_t multiple)
{
	return skip(r, (multiple - r->at % multiple) % multiple);
}

static bool read_number(struct reader *r, uint32_t *ret)
{
	if (!skip_to(r, 4) || !skip(r, 4))
		return false;
	*ret = number_at(r->data + r->at - 4);
	return true;
}

/* Text of @len bytes and its NUL, without another NUL in it. */
static bool read_bytes(struct reader *r, size_t len, const char **ret)
{
	const char *text = (const char *)r->data + r->at;

	if (len >= r->len - r->at || memchr(text, '\0', len + 1) != text + len)
		return false;
	*ret = text;
	return skip(r, len + 1);
}

static bool read_text(struct reader *r, const char **ret)
{
	uint32_t len;

	return read_number(r, &len) && read_bytes(r, len, ret);
}

static bool read_signature(struct reader *r, const char **ret)
{
	return skip(r, 1) && read_bytes(r, r->data[r->at - 1], ret);
}

int dbus_message_size(const uint8_t *data, size_t len, size_t *ret)
{
	size_t body, fields;

	if (len >= 4 && (data[0] != DBUS_NATIVE_ORDER || data[3] != DBUS_VERSION))
		return -EPROTO;
	if (len < FIXED_LEN)
		return -EAGAIN;
	body = number_at(data + BODY_LEN_AT);
	fields = number_at(data + FIELDS_LEN_AT);
	if (body > DBUS_MESSAGE_MAX || fields > DBUS_MESSAGE_MAX)
		return -EMSGSIZE;
	*ret = FIXED_LEN + (fields + 7) / 8 * 8 + body;
	return *ret > DBUS_MESSAGE_MAX ? -EMSGSIZE : 0;
}

/* One field: its code, and a variant. Those that we don't know have simple types, too. */
static bool read_field(struct reader *r, struct dbus_message *message)
{
	const char *signature, *text = NULL;
	uint32_t number = 0;
	uint8_t code;

	if (!skip_to(r, 8) || !skip(r, 1))
		return false;
	code = r->data[r->at - 1];
	if (!read_signature(r, &signature) || !*signature || signature[1])
		return false;
	if (*signature == 'u' || *signature == 'h') {
		if (!read_number(r, &number))
			return false;
	} else if (*signature == 'g') {
		if (!read_signature(r, &text))
			return false;
	} else if ((*signature != 's' && *signature != 'o') || !read_text(r, &text)) {
		return false;
	}

	if (code == DBUS_FIELD_PATH)
		message->path = text;
	else if (code == DBUS_FIELD_INTERFACE)
		message->interface = text;
	else if (code == DBUS_FIELD_MEMBER)
		message->member = text;
	else if (code == DBUS_FIELD_ERROR_NAME)
		message->error_name = text;
	else if (code == DBUS_FIELD_SIGNATURE)
		message->signature = text;
	else if (code == DBUS_FIELD_REPLY_SERIAL)
		message->reply_serial = number;
	return true;
}

int dbus_message_parse(const uint8_t *data, size_t len, struct dbus_message *ret)
{
	struct reader r = { .data = data, .at = FIXED_LEN };
	size_t size;

	if (dbus_message_size(data, len, &size) < 0 || size != len)
		return -EPROTO;
	*ret = (struct dbus_message){ .type = data[1], .serial = number_at(data + SERIAL_AT) };
	r.len = FIXED_LEN + number_at(data + FIELDS_LEN_AT);
	while (r.at < r.len) {
		if (!read_field(&r, ret))
			return -EPROTO;
	}
	ret->body_len = number_at(data + BODY_LEN_AT);
	ret->body = data + len - ret->body_len;
	return 0;
}

int dbus_message_read(const struct dbus_message *message, const char *signature,
		      union dbus_value *ret)
{
	struct reader r = { .data = message->body, .len = message->body_len };

	if (!message->signature || strncmp(message->signature, signature, strlen(signature)) != 0)
		return -EPROTO;
	for (; *signature; signature++, ret++) {
		if (*signature == 'u' ? !read_number(&r, &ret->number) : !read_text(&r, &ret->text))
			return -EPROTO;
	}
	return 0;
}
