/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the decoder tells about a document: why it is refused, and what in it has no effect. */
#include "spec/decode.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- complaints --------------------------------------------------------------------------------------------- */

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
		return arena_printf(d->arena, v->len <= 60 ? "\"%s\"" : "\"%.57s...\"", v->text);
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
	return "config.json";
}

int decode_fail(struct decoder *d, const struct json *v, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX - 128], pointer[ERR_POINTER_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	err_user(d->err, "read \"%.80s\": %s", label(d, v), text);
	json_pointer_text(v, pointer, sizeof(pointer));
	err_at(d->err, pointer);
	d->err->line = json_line(d->text, d->len, v->offset);
	return -EINVAL;
}

/* ---- what is ignored ---------------------------------------------------------------------------------------- */

void decode_ignored(struct decoder *d, const struct json *v, const char *near, const char *why)
{
	struct config_ignored *grown;

	if (d->ignored.n == d->ignored_capacity) {
		d->ignored_capacity = d->ignored_capacity ? 2 * d->ignored_capacity : 8;
		grown = arena_array(d->arena, d->ignored_capacity, sizeof(*grown));
		if (d->ignored.n)
			memcpy(grown, d->ignored.items, d->ignored.n * sizeof(*grown));
		d->ignored.items = grown;
	}
	d->ignored.items[d->ignored.n++] = (struct config_ignored){
		.pointer = json_pointer(d->arena, v),
		.near = near,
		.why = why,
	};
}
