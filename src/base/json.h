/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strict JSON reading: a text becomes a tree of struct json in an arena.
 *
 * The lexer and the grammar are yajl's. On top of it we refuse what the RFC leaves open and what an attacker would use:
 * the same name twice in an object, NUL in a string, invalid or overlong UTF-8, surrogates without their partner, text
 * after the value, too deep nesting, too many values. Numbers stay text, so that every 64-bit integer is exact. Each
 * value knows where it began, so a complaint can name the line and the JSON pointer.
 */
#ifndef TARE_BASE_JSON_H
#define TARE_BASE_JSON_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The deepest document of ours, a config.json, needs 8. */
#define JSON_MAX_DEPTH 64
/* Bounds memory at about 50 bytes a value; a real config.json has some hundreds. */
#define JSON_MAX_VALUES ((uint32_t)1 << 20)
/* Offsets are 32 bits wide; no document of ours comes near. */
#define JSON_MAX_BYTES ((size_t)64 * 1024 * 1024)

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	const char *key;     /* its name in the object around it; NULL in an array and at the top */
	struct json *next;   /* next one in the same array or object */
	struct json *parent; /* NULL at the top */
	union {
		/* string: decoded, NUL-terminated. Number: as written, `len` bytes, NOT terminated */
		const char *text;
		struct json *first; /* array, object: the first child, NULL when empty */
		bool boolean;
	};
	uint32_t len;    /* string, number: bytes; array, object: children */
	uint32_t offset; /* of its first byte in the text */
	uint32_t index;  /* place among its siblings */
	enum json_type type;
};

/* json_each() - walk the children of an array or object */
#define json_each(child, parent) for ((child) = (parent)->first; (child); (child) = (child)->next)

/*
 * json_parse() - read a whole document
 * @arena: owns the result
 * @text:  @len bytes, borrowed until the call returns, need no NUL
 * @err:   filled with what and where: line, and the JSON pointer of the innermost value that was open
 *
 * Return: 0; -EINVAL
 */
int json_parse(struct arena *arena, const char *text, size_t len, const struct json **ret_root,
	       struct err *err) MUST_CHECK;

/* json_member() - the member called @key, or NULL; also NULL when @object is NULL or no object */
const struct json *json_member(const struct json *object, const char *key);

/* json_entry() - the child at @index, or NULL when there are fewer */
const struct json *json_entry(const struct json *parent, size_t index);

/* json_string() - the text of a string, NULL for anything else and for NULL */
const char *json_string(const struct json *value);

/*
 * json_u64(), json_i64() - an integer, written in digits only (1.0 and 1e3 are none)
 * Return: 0; -EINVAL when it is no integer, -ERANGE when it doesn't fit
 */
int json_u64(const struct json *value, uint64_t *ret) MUST_CHECK;
int json_i64(const struct json *value, int64_t *ret) MUST_CHECK;

/* json_pointer() - where @value is, "/linux/namespaces/3", "" for the top; the text lives in @arena (RFC 6901) */
char *json_pointer(struct arena *arena, const struct json *value);

/* json_pointer_text() - the same into a buffer; what is too long loses its front, since the end says most */
void json_pointer_text(const struct json *value, char *buf, size_t size);

/* json_line() - the line, counted from 1, of the byte at @offset */
uint32_t json_line(const char *text, size_t len, size_t offset);

#endif
