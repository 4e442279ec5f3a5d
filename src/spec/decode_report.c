/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the decoder tells about a document: why it is refused, and what in it has no effect. */
#include "spec/decode.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- complaints --------------------------------------------------------------------------------------------- */

/* What a complaint shows of a string. */
#define SHOWN_MAX 60

static const char *got_string(struct decoder *d, const struct json *v)
{
	size_t len = SHOWN_MAX - strlen("...");

	if (v->len <= SHOWN_MAX)
		return arena_printf(d->arena, "\"%s\"", v->text);
	while ((v->text[len] & 0xc0) == 0x80) /* not in the middle of a character */
		len--;
	return arena_printf(d->arena, "\"%.*s...\"", (int)len, v->text);
}

const char *decode_got(struct decoder *d, const struct json *v)
{
	switch (v->type) {
	case JSON_NULL:
		return "null";
	case JSON_BOOL:
		return v->boolean ? "true" : "false";
	case JSON_NUMBER:
		return arena_printf(d->arena, "%.*s", (int)(v->len < 40 ? v->len : 40), v->text);
	case JSON_STRING:
		return got_string(d, v);
	case JSON_ARRAY:
		return "an array";
	case JSON_OBJECT:
		return "an object";
	}
	return "nothing";
}

/* "limit", or for an entry of a list "args[2]". */
static const char *label(struct decoder *d, const struct json *v)
{
	if (v->key)
		return v->key;
	if (v->parent && v->parent->key)
		return arena_printf(d->arena, "%.60s[%u]", v->parent->key, v->index);
	return d->name;
}

/* Keys and strings of the document go into messages and logs, and the document is not to be trusted. */
static void show_pointer(const struct json *v, char *buf, size_t size)
{
	char raw[ERR_POINTER_MAX];

	json_pointer_text(v, raw, sizeof(raw));
	utf8_printable(raw, buf, size);
}

int decode_fail(struct decoder *d, const struct json *v, const char *fmt, ...)
{
	char raw[ERR_TEXT_MAX / 2], shown[ERR_TEXT_MAX], pointer[ERR_POINTER_MAX];
	va_list ap;
	int len;

	len = snprintf(raw, sizeof(raw), "read \"%.80s\": ", label(d, v));
	va_start(ap, fmt);
	vsnprintf(raw + len, sizeof(raw) - (size_t)len, fmt, ap);
	va_end(ap);
	utf8_printable(raw, shown, sizeof(shown));
	show_pointer(v, pointer, sizeof(pointer));

	err_user(d->err, "%s", shown);
	err_at(d->err, pointer);
	d->err->line = json_line(d->text, d->len, v->offset);
	return -EINVAL;
}

/* ---- what is ignored ---------------------------------------------------------------------------------------- */

int decode_ignored(struct decoder *d, const struct json *v, const char *near, const char *why)
{
	char pointer[ERR_POINTER_MAX];

	if (d->ignored.n == IGNORED_MAX)
		return decode_fail(d, v, "more than %d properties are ignored", IGNORED_MAX);
	d->ignored.items =
		arena_grow(d->arena, d->ignored.items, d->ignored.n, sizeof(*d->ignored.items));
	show_pointer(v, pointer, sizeof(pointer));
	d->ignored.items[d->ignored.n++] = (struct config_ignored){
		.pointer = arena_strdup(d->arena, pointer),
		.near = near,
		.why = why,
	};
	return 0;
}
