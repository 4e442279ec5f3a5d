/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing JSON: commas, quotes and indentation are put here, so that a caller only says what there is.
 *
 *	struct json_writer w;
 *	json_writer_init(&w, &arena, 2);
 *	json_object_begin(&w, NULL);
 *	json_add_string(&w, "id", id);
 *	json_object_end(&w);
 *	text = json_writer_text(&w, &len);
 *
 * A key is NULL inside an array and at the top. Control characters, quotes and backslashes are escaped; bytes that are
 * no UTF-8 become U+FFFD, so that the output is always JSON.
 */
#ifndef TARE_BASE_JSON_WRITE_H
#define TARE_BASE_JSON_WRITE_H

#include "base/arena.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_writer {
	struct arena *arena; /* the text grows in it */
	char *text;
	size_t len, size;
	unsigned indent; /* blanks a level; 0: everything on one line */
	unsigned depth;
	bool first; /* nothing stands yet in the innermost object or array */
};

void json_writer_init(struct json_writer *w, struct arena *arena, unsigned indent);

void json_object_begin(struct json_writer *w, const char *key);
void json_object_end(struct json_writer *w);
void json_array_begin(struct json_writer *w, const char *key);
void json_array_end(struct json_writer *w);

/* json_add_string() - a NULL @value is written as null */
void json_add_string(struct json_writer *w, const char *key, const char *value);
void json_add_i64(struct json_writer *w, const char *key, int64_t value);
void json_add_u64(struct json_writer *w, const char *key, uint64_t value);
void json_add_bool(struct json_writer *w, const char *key, bool value);
void json_add_null(struct json_writer *w, const char *key);

/* json_add_raw() - @value as it is: the caller says that it is JSON */
void json_add_raw(struct json_writer *w, const char *key, const char *value);

/* json_add_value() - a value that was read, with all that is in it; numbers as they were written */
void json_add_value(struct json_writer *w, const char *key, const struct json *value);

/*
 * json_writer_read() - what was written as a tree, in the same arena: for what is shown by the reader's means, or kept in a record
 * Return: 0; -EINVAL
 */
int json_writer_read(struct json_writer *w, const struct json **ret, struct err *err) MUST_CHECK;

/* json_writer_text() - what was written, NUL-terminated, in the arena; @ret_len may be NULL */
char *json_writer_text(struct json_writer *w, size_t *ret_len);

#endif
