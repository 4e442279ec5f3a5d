/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking at a document that was read; the reading is in json_parse.c. */
#include "base/json.h"

#include "base/num.h"

#include <stdio.h>
#include <string.h>

uint32_t json_line(const char *text, size_t len, size_t offset)
{
	const char *end = text + (offset < len ? offset : len);
	uint32_t line = 1;

	while ((text = memchr(text, '\n', (size_t)(end - text)))) {
		line++;
		text++;
	}
	return line;
}

const struct json *json_member(const struct json *object, const char *key)
{
	const struct json *member;

	if (!object || object->type != JSON_OBJECT)
		return NULL;
	json_each(member, object) {
		/* Most names differ in their first byte, which costs no call. */
		if (member->key[0] == key[0] && !strcmp(member->key, key))
			return member;
	}
	return NULL;
}

const struct json *json_entry(const struct json *parent, size_t index)
{
	const struct json *child = parent->first;

	while (child && child->index != index)
		child = child->next;
	return child;
}

const char *json_string(const struct json *value)
{
	return value && value->type == JSON_STRING ? value->text : NULL;
}

int json_u64(const struct json *value, uint64_t *ret)
{
	if (!value || value->type != JSON_NUMBER)
		return -EINVAL;
	return num_u64(value->text, value->len, ret);
}

int json_i64(const struct json *value, int64_t *ret)
{
	if (!value || value->type != JSON_NUMBER)
		return -EINVAL;
	return num_i64(value->text, value->len, ret);
}

/* Writes "/token" so that it ends at @end; what has no room is left out at its front. Return: its first byte */
static char *prepend_token(const struct json *value, char *buf, char *end)
{
	char number[16];
	const char *token = value->key;
	size_t i;

	if (!token) {
		snprintf(number, sizeof(number), "%u", value->index);
		token = number;
	}
	for (i = strlen(token); i > 0 && end - buf >= 2; i--) {
		char c = token[i - 1];

		*--end = c == '~' ? '0' : c == '/' ? '1' : c;
		if (c == '~' || c == '/')
			*--end = '~';
	}
	if (i == 0 && end > buf)
		*--end = '/';
	return end;
}

void json_pointer_text(const struct json *value, char *buf, size_t size)
{
	char *end = buf + size - 1;

	*end = '\0';
	for (; value->parent && end - buf >= 2; value = value->parent)
		end = prepend_token(value, buf, end);
	memmove(buf, end, (size_t)(buf + size - end));
}

char *json_pointer(struct arena *arena, const struct json *value)
{
	const struct json *at;
	size_t size = 1;
	char *buf;

	/* Two bytes for each that may need an escape, and room for the slash and for an index. */
	for (at = value; at->parent; at = at->parent)
		size += (at->key ? 2 * strlen(at->key) : 10) + 4;
	buf = arena_alloc(arena, size);
	json_pointer_text(value, buf, size);
	return buf;
}
