/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json_parse() with anything, and what it accepts written and read again: the second text must equal the first, on one
 * line and indented.
 */
#include "base/json.h"
#include "base/json_write.h"
#include "promise.h"

#include <string.h>

static void write_value(struct json_writer *w, struct arena *arena, const struct json *v)
{
	const struct json *child;

	switch (v->type) {
	case JSON_NULL:
		json_add_null(w, v->key);
		break;
	case JSON_BOOL:
		json_add_bool(w, v->key, v->boolean);
		break;
	case JSON_NUMBER:
		json_add_raw(w, v->key, arena_strndup(arena, v->text, v->len));
		break;
	case JSON_STRING:
		json_add_string(w, v->key, v->text);
		break;
	case JSON_ARRAY:
		json_array_begin(w, v->key);
		json_each(child, v)
			write_value(w, arena, child);
		json_array_end(w);
		break;
	case JSON_OBJECT:
		json_object_begin(w, v->key);
		json_each(child, v)
			write_value(w, arena, child);
		json_object_end(w);
		break;
	}
}

static const char *write_text(struct arena *arena, const struct json *root, unsigned indent)
{
	struct json_writer w;

	json_writer_init(&w, arena, indent);
	write_value(&w, arena, root);
	return json_writer_text(&w, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	const struct json *root, *again;
	struct err err = ERR_INIT;
	const char *flat, *indented;

	if (json_parse(&arena, (const char *)data, size, &root, &err) < 0) {
		PROMISE(err.code == -EINVAL && err.text[0]);
	} else {
		flat = write_text(&arena, root, 0);
		indented = write_text(&arena, root, 4);
		PROMISE(json_parse(&arena, flat, strlen(flat), &again, &err) == 0);
		PROMISE(!strcmp(write_text(&arena, again, 4), indented));
		PROMISE(json_parse(&arena, indented, strlen(indented), &again, &err) == 0);
		PROMISE(!strcmp(write_text(&arena, again, 0), flat));
	}
	arena_clear(&arena);
	return 0;
}
