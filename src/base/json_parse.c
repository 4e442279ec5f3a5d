/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text is copied once and yajl runs over the copy. A string without escapes is not copied again: when its callback
 * comes, its closing quote has been consumed, so we put the NUL there. Lines are counted only for a complaint, in the
 * caller's text.
 */
#include "base/json.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>
#include <yajl/yajl_parse.h>

struct builder {
	struct arena *arena;
	struct err *err;
	yajl_handle yajl;
	const char *text; /* the caller's */
	char *copy;       /* what yajl reads */
	size_t len;
	size_t token_end; /* of the token before this one */
	struct json *root;
	struct json *open; /* the innermost array or object that is not closed yet */
	struct json *last[JSON_MAX_DEPTH]; /* the last child of each open one, outermost first */
	unsigned depth;
	uint32_t n_values;
	const char *key; /* waits for its value */
};

/* ---- complaints --------------------------------------------------------------------------------------------- */

static size_t column_at(const char *text, size_t len, size_t offset)
{
	size_t column = 1;

	if (offset > len)
		offset = len;
	while (offset > 0 && text[offset - 1] != '\n') {
		offset--;
		column++;
	}
	return column;
}

/* Puts the place of a complaint before its text and into the fields of the error. Return: 0, which stops yajl. */
static int complain(struct builder *b, size_t offset, const char *what)
{
	char raw[ERR_POINTER_MAX] = "", pointer[ERR_POINTER_MAX], shown[ERR_TEXT_MAX / 2];
	uint32_t line = json_line(b->text, b->len, offset);

	if (b->open)
		json_pointer_text(b->open, raw, sizeof(raw));
	/* Keys of the document are in both, and the document is not to be trusted. */
	utf8_printable(raw, pointer, sizeof(pointer));
	utf8_printable(what, shown, sizeof(shown));
	err_user(b->err, "parse JSON at line %u, column %zu: %s", line,
		 column_at(b->text, b->len, offset), shown);
	err_at(b->err, pointer);
	b->err->line = line;
	return 0;
}

/* ---- strings ------------------------------------------------------------------------------------------------ */

static bool is_between_tokens(char c)
{
	return c == ' ' || c == '\n' || c == ',' || c == ':' || c == '\t' || c == '\r';
}

/* Between two tokens there are only blanks, commas and colons, so the token begins at the first other byte. */
static size_t token_start(const struct builder *b)
{
	size_t at = b->token_end;

	while (at < b->len && is_between_tokens(b->text[at]))
		at++;
	return at;
}

static int hex4(const char *text)
{
	int value = 0;

	for (int i = 0; i < 4; i++) {
		char c = text[i];
		int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;

		value = value << 4 | digit;
	}
	return value;
}

/* yajl turns a surrogate without its partner into "?"; we look at the escapes as written and refuse it. */
static bool escapes_are_paired(const char *raw, const char *end)
{
	bool want_low = false;

	while (raw < end) {
		bool escape = *raw == '\\';
		int unit = escape && raw[1] == 'u' ? hex4(raw + 2) : 0;
		bool low = unit >= 0xdc00 && unit <= 0xdfff;

		if (low != want_low)
			return false;
		want_low = unit >= 0xd800 && unit <= 0xdbff;
		raw += !escape ? 1 : raw[1] == 'u' ? 6 : 2;
	}
	return !want_low;
}

/* yajl's own check lets overlong forms and surrogates through, so it is off and this is the only one. */
static bool is_clean(const char *text, size_t len, const char **ret_why)
{
	for (size_t i = 0; i < len;) {
		size_t n = (signed char)text[i] > 0 ? 1 : utf8_decode(text + i, len - i);

		if (!n || text[i] == '\0') {
			*ret_why = n ? "a string holds \\u0000" : "a string is not valid UTF-8";
			return false;
		}
		i += n;
	}
	return true;
}

/* Return: the string, NUL-terminated, in the arena; NULL after a complaint */
static const char *keep_string(struct builder *b, const unsigned char *bytes, size_t len,
			       size_t start, size_t end)
{
	/* The parameter is yajl's pointer into our own copy, or into its buffer when the string had escapes. */
	uintptr_t at = (uintptr_t)bytes - (uintptr_t)b->copy;
	bool in_place = at < b->len;
	const char *why;

	/* First, because yajl would make "?" or ill-formed UTF-8 of what is not paired. */
	if (!in_place && !escapes_are_paired(b->text + start + 1, b->text + end - 1)) {
		complain(b, start, "a string holds half of a surrogate pair");
		return NULL;
	}
	if (!is_clean((const char *)bytes, len, &why)) {
		complain(b, start, why);
		return NULL;
	}
	if (!in_place)
		return arena_strndup(b->arena, (const char *)bytes, len);

	b->copy[at + len] = '\0';
	return b->copy + at;
}

/* ---- values ------------------------------------------------------------------------------------------------- */

static struct json *add_value(struct builder *b, enum json_type type)
{
	struct json *value;

	if (b->n_values == JSON_MAX_VALUES) {
		complain(b, token_start(b), "too many values");
		return NULL;
	}
	b->n_values++;

	value = arena_alloc(b->arena, sizeof(*value));
	value->type = type;
	value->offset = (uint32_t)token_start(b);
	value->key = b->key;
	value->parent = b->open;
	b->key = NULL;
	b->token_end = yajl_get_bytes_consumed(b->yajl);
	if (!b->open) {
		b->root = value;
		return value;
	}

	value->index = b->open->len++;
	if (b->last[b->depth - 1])
		b->last[b->depth - 1]->next = value;
	else
		b->open->first = value;
	b->last[b->depth - 1] = value;
	return value;
}

static int on_null(void *ctx)
{
	return add_value(ctx, JSON_NULL) != NULL;
}

static int on_boolean(void *ctx, int boolean)
{
	struct json *value = add_value(ctx, JSON_BOOL);

	if (!value)
		return 0;
	value->boolean = boolean;
	return 1;
}

static int on_number(void *ctx, const char *text, size_t len)
{
	struct builder *b = ctx;
	struct json *value = add_value(b, JSON_NUMBER);

	if (!value)
		return 0;
	value->text = b->copy + value->offset;
	value->len = (uint32_t)len;
	return 1;
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
	struct builder *b = ctx;
	size_t start = token_start(b), end = yajl_get_bytes_consumed(b->yajl);
	const char *string = keep_string(b, text, len, start, end);
	struct json *value = string ? add_value(b, JSON_STRING) : NULL;

	if (!value)
		return 0;
	value->text = string;
	value->len = (uint32_t)len;
	return 1;
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
	struct builder *b = ctx;
	size_t start = token_start(b), end = yajl_get_bytes_consumed(b->yajl);

	b->key = keep_string(b, text, len, start, end);
	b->token_end = end;
	return b->key != NULL;
}

static int open_value(struct builder *b, enum json_type type)
{
	struct json *value;

	if (b->depth == JSON_MAX_DEPTH)
		return complain(b, token_start(b), "nested too deep");
	value = add_value(b, type);
	if (!value)
		return 0;
	b->open = value;
	b->last[b->depth++] = NULL;
	return 1;
}

static int on_open_object(void *ctx)
{
	return open_value(ctx, JSON_OBJECT);
}

static int on_open_array(void *ctx)
{
	return open_value(ctx, JSON_ARRAY);
}

static int close_value(struct builder *b)
{
	b->token_end = yajl_get_bytes_consumed(b->yajl);
	b->open = b->open->parent;
	b->depth--;
	return 1;
}

static int by_key(const void *a, const void *b)
{
	const struct json *const *left = a, *const *right = b;
	int order = strcmp((*left)->key, (*right)->key);

	return order ? order : (*left)->index < (*right)->index ? -1 : 1;
}

/* Return: the second of two members with one name, NULL if there are none */
static const struct json *find_duplicate(struct arena *arena, const struct json *object)
{
	const struct json **sorted, *member, *other;
	size_t n = 0;

	/* Most objects are so small that comparing all pairs is the fastest; an attacker's million names are sorted. */
	if (object->len <= 16) {
		json_each(member, object) {
			for (other = object->first; other != member; other = other->next) {
				if (other->key[0] == member->key[0] &&
				    !strcmp(other->key, member->key))
					return member;
			}
		}
		return NULL;
	}

	sorted = arena_array(arena, object->len, sizeof(*sorted));
	json_each(member, object)
		sorted[n++] = member;
	qsort(sorted, n, sizeof(*sorted), by_key);
	for (size_t i = 1; i < n; i++) {
		if (!strcmp(sorted[i - 1]->key, sorted[i]->key))
			return sorted[i];
	}
	return NULL;
}

static int on_close_object(void *ctx)
{
	struct builder *b = ctx;
	const struct json *twice = find_duplicate(b->arena, b->open);
	char what[160];

	if (!twice)
		return close_value(b);
	snprintf(what, sizeof(what), "\"%.100s\" is twice in one object", twice->key);
	return complain(b, twice->offset, what);
}

static int on_close_array(void *ctx)
{
	return close_value(ctx);
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_open_object,
	.yajl_map_key = on_key,
	.yajl_end_map = on_close_object,
	.yajl_start_array = on_open_array,
	.yajl_end_array = on_close_array,
};

/* yajl's texts are "parse error: premature EOF\n"; the part between colon and newline is what a reader wants. */
static void complain_yajl(struct builder *b, size_t offset)
{
	unsigned char *message = yajl_get_error(b->yajl, 0, NULL, 0);
	const char *text = message ? (const char *)message : "out of memory";
	const char *colon = strstr(text, ": ");
	char what[160];

	if (colon)
		text = colon + 2;
	snprintf(what, sizeof(what), "%.*s", (int)strcspn(text, "\n"), text);
	complain(b, offset, what);
	if (message)
		yajl_free_error(b->yajl, message);
}

/* yajl takes these two for blanks; JSON doesn't, and knows no place where they may stand unescaped. */
static const char *find_false_blank(const char *text, size_t len)
{
	const char *at = memchr(text, '\f', len);

	return at ? at : memchr(text, '\v', len);
}

static void free_yajl(yajl_handle *yajl)
{
	if (*yajl)
		yajl_free(*yajl);
}

int json_parse(struct arena *arena, const char *text, size_t len, const struct json **ret_root,
	       struct err *err)
{
	struct builder b = { .arena = arena, .err = err, .text = text, .len = len };
	__attribute__((cleanup(free_yajl))) yajl_handle yajl = NULL;
	const char *blank;
	yajl_status status;
	size_t at;

	if (len > JSON_MAX_BYTES)
		return err_user(err, "parse JSON: %zu bytes are more than the limit of %zu", len,
				JSON_MAX_BYTES);
	*err = ERR_INIT;
	blank = find_false_blank(text, len);
	if (blank) {
		complain(&b, (size_t)(blank - text), "a control character");
		return err->code;
	}
	yajl = yajl_alloc(&callbacks, NULL, &b);
	if (!yajl)
		return err_set(err, -ENOMEM, "make the JSON parser");
	yajl_config(yajl, yajl_dont_validate_strings, 1);
	b.yajl = yajl;
	b.copy = arena_strndup(arena, text, len);

	status = yajl_parse(yajl, (const unsigned char *)b.copy, len);
	at = yajl_get_bytes_consumed(yajl);
	if (status == yajl_status_ok) {
		status = yajl_complete_parse(yajl);
		at = len;
	}
	if (status == yajl_status_error)
		complain_yajl(&b, at);
	if (status != yajl_status_ok)
		return err->code;
	if (!b.root)
		return err_user(err, "parse JSON: there is no value");

	*ret_root = b.root;
	return 0;
}
