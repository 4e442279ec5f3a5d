/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/json_write.h"

#include "base/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void put(struct json_writer *w, const char *bytes, size_t n)
{
	char *grown;
	size_t size = w->size ? w->size : 512;

	while (size - w->len <= n)
		size *= 2;
	if (size != w->size) {
		grown = arena_alloc(w->arena, size);
		if (w->len)
			memcpy(grown, w->text, w->len);
		w->text = grown;
		w->size = size;
	}
	memcpy(w->text + w->len, bytes, n);
	w->len += n;
	w->text[w->len] = '\0';
}

static void put_text(struct json_writer *w, const char *text)
{
	put(w, text, strlen(text));
}

static void new_line(struct json_writer *w)
{
	static const char blanks[] = "                                ";
	unsigned left = w->depth * w->indent, n;

	if (w->indent == 0)
		return;
	put(w, "\n", 1);
	for (; left; left -= n) {
		n = left < sizeof(blanks) - 1 ? left : (unsigned)sizeof(blanks) - 1;
		put(w, blanks, n);
	}
}

static void put_escaped(struct json_writer *w, unsigned char c)
{
	char code[8];

	switch (c) {
	case '"':
		put(w, "\\\"", 2);
		break;
	case '\\':
		put(w, "\\\\", 2);
		break;
	case '\n':
		put(w, "\\n", 2);
		break;
	case '\t':
		put(w, "\\t", 2);
		break;
	default:
		snprintf(code, sizeof(code), "\\u%04x", c);
		put(w, code, 6);
	}
}

static bool needs_escape(char c)
{
	return (unsigned char)c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
}

/* What stands for itself is put in one piece. */
static void put_quoted(struct json_writer *w, const char *text)
{
	const char *at = text, *end = text + strlen(text), *plain = text;
	size_t n;

	put(w, "\"", 1);
	for (; at < end; at += n) {
		n = utf8_decode(at, (size_t)(end - at));
		if (n > 1 || (n == 1 && !needs_escape(*at)))
			continue;
		put(w, plain, (size_t)(at - plain));
		if (n)
			put_escaped(w, (unsigned char)*at);
		else
			put_text(w, "\xef\xbf\xbd");
		n = 1;
		plain = at + 1;
	}
	put(w, plain, (size_t)(end - plain));
	put(w, "\"", 1);
}

/* Comma, new line and key: what stands before every value. */
static void begin_value(struct json_writer *w, const char *key)
{
	if (w->depth > 0) {
		if (!w->first)
			put(w, ",", 1);
		new_line(w);
	}
	w->first = false;
	if (!key)
		return;
	put_quoted(w, key);
	put_text(w, w->indent ? ": " : ":");
}

static void open_level(struct json_writer *w, const char *key, const char *bracket)
{
	begin_value(w, key);
	put_text(w, bracket);
	w->depth++;
	w->first = true;
}

static void close_level(struct json_writer *w, const char *bracket)
{
	w->depth--;
	if (!w->first)
		new_line(w);
	put_text(w, bracket);
	w->first = false;
}

void json_writer_init(struct json_writer *w, struct arena *arena, unsigned indent)
{
	*w = (struct json_writer){ .arena = arena, .indent = indent, .first = true };
}

void json_object_begin(struct json_writer *w, const char *key)
{
	open_level(w, key, "{");
}

void json_object_end(struct json_writer *w)
{
	close_level(w, "}");
}

void json_array_begin(struct json_writer *w, const char *key)
{
	open_level(w, key, "[");
}

void json_array_end(struct json_writer *w)
{
	close_level(w, "]");
}

void json_add_raw(struct json_writer *w, const char *key, const char *value)
{
	begin_value(w, key);
	put_text(w, value);
}

void json_add_string(struct json_writer *w, const char *key, const char *value)
{
	if (!value) {
		json_add_null(w, key);
		return;
	}
	begin_value(w, key);
	put_quoted(w, value);
}

void json_add_i64(struct json_writer *w, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	json_add_raw(w, key, text);
}

void json_add_u64(struct json_writer *w, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	json_add_raw(w, key, text);
}

void json_add_bool(struct json_writer *w, const char *key, bool value)
{
	json_add_raw(w, key, value ? "true" : "false");
}

void json_add_null(struct json_writer *w, const char *key)
{
	json_add_raw(w, key, "null");
}

static void add_children(struct json_writer *w, const struct json *value)
{
	const struct json *child;

	json_each(child, value)
		json_add_value(w, child->key, child);
}

void json_add_value(struct json_writer *w, const char *key, const struct json *value)
{
	switch (value->type) {
	case JSON_NULL:
		json_add_null(w, key);
		break;
	case JSON_BOOL:
		json_add_bool(w, key, value->boolean);
		break;
	case JSON_NUMBER:
		begin_value(w, key);
		put(w, value->text, value->len);
		break;
	case JSON_STRING:
		json_add_string(w, key, value->text);
		break;
	case JSON_ARRAY:
		json_array_begin(w, key);
		add_children(w, value);
		json_array_end(w);
		break;
	case JSON_OBJECT:
		json_object_begin(w, key);
		add_children(w, value);
		json_object_end(w);
		break;
	}
}

char *json_writer_text(struct json_writer *w, size_t *ret_len)
{
	if (!w->text)
		put(w, "", 0);
	if (ret_len)
		*ret_len = w->len;
	return w->text;
}

int json_writer_read(struct json_writer *w, const struct json **ret, struct err *err)
{
	size_t len;
	char *text = json_writer_text(w, &len);

	return json_parse(w->arena, text, len, ret, err);
}
