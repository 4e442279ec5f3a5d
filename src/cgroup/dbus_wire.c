/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values and calls as bytes. */
#include "cgroup/dbus_wire.h"

#include "base/num.h"

#include <string.h>

/* ---- types ------------------------------------------------------------------------------------------------------ */

/* What a value of this type is aligned to; 0 for a type that is not handled. */
static size_t alignment(char type)
{
	switch (type) {
	case 'y':
	case 'g':
	case 'v':
		return 1;
	case 'n':
	case 'q':
		return 2;
	case 'b':
	case 'i':
	case 'u':
	case 'h':
	case 's':
	case 'o':
	case 'a':
		return 4;
	case 'x':
	case 't':
	case '(':
	case '{':
		return 8;
	}
	return 0;
}

/* Length of the one complete type at the start of @signature; 0 if there is none. */
static size_t type_len(const char *signature, int depth)
{
	char close = *signature == '(' ? ')' : '}';
	size_t len = 1, one;

	if (depth > DBUS_DEPTH_MAX || alignment(*signature) == 0)
		return 0;
	if (*signature == 'a') {
		one = type_len(signature + 1, depth + 1);
		return one ? one + 1 : 0;
	}
	if (*signature != '(' && *signature != '{')
		return 1;
	while (signature[len] != close) {
		one = type_len(signature + len, depth + 1);
		if (one == 0)
			return 0;
		len += one;
	}
	return len == 1 ? 0 : len + 1;
}

/* ---- sending ---------------------------------------------------------------------------------------------------- */

struct writer {
	struct dbus_buffer *buffer;
	const struct str_list *words;
	size_t next; /* index of the next word */
};

static int append(struct dbus_buffer *b, const void *data, size_t len)
{
	size_t capacity = b->capacity ? b->capacity : 4096;
	uint8_t *grown;

	if (b->len + len > DBUS_MESSAGE_MAX)
		return -E2BIG;
	while (capacity < b->len + len)
		capacity *= 2;
	if (capacity != b->capacity) {
		grown = arena_alloc(b->arena, capacity);
		if (b->len)
			memcpy(grown, b->data, b->len);
		b->data = grown;
		b->capacity = capacity;
	}
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	return 0;
}

static int align(struct dbus_buffer *b, size_t to)
{
	static const uint8_t zeros[8];

	return append(b, zeros, (to - b->len % to) % to);
}

/* A number of @size bytes in native order. */
static int append_number(struct dbus_buffer *b, size_t size, uint64_t value)
{
	const uint8_t byte = (uint8_t)value;
	const uint16_t half = (uint16_t)value;
	const uint32_t word = (uint32_t)value;

	return append(b,
		      size == 1   ? (const void *)&byte
		      : size == 2 ? (const void *)&half
		      : size == 4 ? (const void *)&word
				  : (const void *)&value,
		      size);
}

static int put_text(struct dbus_buffer *b, char type, const char *text)
{
	size_t len = strlen(text);
	int r;

	if (type == 'g' && len > UINT8_MAX)
		return -EINVAL;
	r = append_number(b, type == 'g' ? 1 : 4, len);
	return r < 0 ? r : append(b, text, len + 1);
}

static int put_signed(struct dbus_buffer *b, size_t size, const char *word)
{
	int64_t max = size == 8 ? INT64_MAX : (1LL << (size * 8 - 1)) - 1, value;

	if (num_parse_i64(word, -max - 1, max, &value) < 0)
		return -EINVAL;
	return append_number(b, size, (uint64_t)value);
}

static int put_unsigned(struct dbus_buffer *b, size_t size, const char *word)
{
	uint64_t max = UINT64_MAX >> (64 - size * 8), value;

	if (num_parse_u64(word, 0, max, &value) < 0)
		return -EINVAL;
	return append_number(b, size, value);
}

static int put_basic(struct dbus_buffer *b, char type, const char *word)
{
	switch (type) {
	case 'b':
		if (strcmp(word, "true") != 0 && strcmp(word, "false") != 0)
			return -EINVAL;
		return append_number(b, 4, word[0] == 't');
	case 'n':
	case 'i':
	case 'x':
		return put_signed(b, alignment(type), word);
	case 'y':
	case 'q':
	case 'u':
	case 't':
		return put_unsigned(b, alignment(type), word);
	case 's':
	case 'o':
	case 'g':
		return put_text(b, type, word);
	}
	return -EINVAL;
}

static int put_one(struct writer *w, const char *type, int depth);

static const char *next_word(struct writer *w)
{
	return w->next < w->words->n ? w->words->items[w->next++] : NULL;
}

/* Every type of @types, @len long. */
static int put_all(struct writer *w, const char *types, size_t len, int depth)
{
	for (size_t at = 0, one; at < len; at += one) {
		int r;

		one = type_len(types + at, depth);
		if (one == 0 || at + one > len)
			return -EINVAL;
		r = put_one(w, types + at, depth);
		if (r < 0)
			return r;
	}
	return 0;
}

static int put_array(struct writer *w, const char *element, int depth)
{
	struct dbus_buffer *b = w->buffer;
	const char *word = next_word(w);
	size_t len_at = b->len, start;
	uint64_t n;
	uint32_t len;
	int r;

	if (!word || num_parse_u64(word, 0, DBUS_MESSAGE_MAX, &n) < 0)
		return -EINVAL;
	r = append_number(b, 4, 0);
	if (r == 0)
		r = align(b, alignment(*element));
	start = b->len;
	for (uint64_t i = 0; i < n && r == 0; i++)
		r = put_one(w, element, depth + 1);
	if (r < 0)
		return r;
	len = (uint32_t)(b->len - start);
	memcpy(b->data + len_at, &len, sizeof(len));
	return 0;
}

static int put_variant(struct writer *w, int depth)
{
	const char *signature = next_word(w);
	size_t len = signature ? type_len(signature, depth) : 0;
	int r;

	if (len == 0 || signature[len])
		return -EINVAL;
	r = put_text(w->buffer, 'g', signature);
	return r < 0 ? r : put_one(w, signature, depth + 1);
}

static int put_one(struct writer *w, const char *type, int depth)
{
	const char *word;
	int r;

	if (depth > DBUS_DEPTH_MAX)
		return -EINVAL;
	r = align(w->buffer, alignment(*type));
	if (r < 0)
		return r;
	switch (*type) {
	case 'a':
		return put_array(w, type + 1, depth);
	case 'v':
		return put_variant(w, depth);
	case '(':
	case '{':
		return put_all(w, type + 1, type_len(type, depth) - 2, depth + 1);
	}
	word = next_word(w);
	return word ? put_basic(w->buffer, *type, word) : -EINVAL;
}

int dbus_put(struct dbus_buffer *buffer, const char *signature, const struct str_list *words)
{
	struct writer w = { .buffer = buffer, .words = words };
	int r = put_all(&w, signature, strlen(signature), 0);

	return r == 0 && w.next != words->n ? -EINVAL : r;
}

/* One field of a header. */
static void add_field(struct arena *arena, struct str_list *words, int code, const char *type,
		      const char *value)
{
	words->items[words->n++] = arena_printf(arena, "%d", code);
	words->items[words->n++] = type;
	words->items[words->n++] = value;
}

int dbus_put_call(struct dbus_buffer *buffer, uint32_t serial, const struct dbus_call *call)
{
	struct dbus_buffer body = { .arena = buffer->arena }, head = { .arena = buffer->arena };
	struct arena *arena = buffer->arena;
	const char *items[32];
	struct str_list words = { .items = items };
	size_t count_at;
	int r;

	r = dbus_put(&body, call->signature, &call->words);
	if (r < 0)
		return r;
	items[words.n++] = arena_printf(arena, "%d", DBUS_NATIVE_ORDER);
	items[words.n++] = arena_printf(arena, "%d", DBUS_CALL);
	items[words.n++] = "0";
	items[words.n++] = arena_printf(arena, "%d", DBUS_VERSION);
	items[words.n++] = arena_printf(arena, "%zu", body.len);
	items[words.n++] = arena_printf(arena, "%u", serial);
	count_at = words.n++;
	add_field(arena, &words, DBUS_FIELD_PATH, "o", call->path);
	add_field(arena, &words, DBUS_FIELD_INTERFACE, "s", call->interface);
	add_field(arena, &words, DBUS_FIELD_MEMBER, "s", call->member);
	if (call->destination)
		add_field(arena, &words, DBUS_FIELD_DESTINATION, "s", call->destination);
	if (*call->signature)
		add_field(arena, &words, DBUS_FIELD_SIGNATURE, "g", call->signature);
	items[count_at] = arena_printf(arena, "%zu", (words.n - count_at - 1) / 3);

	/* Alignment counts from the message's own start. */
	r = dbus_put(&head, "yyyyuua(yv)", &words);
	if (r == 0)
		r = align(&head, 8);
	if (r == 0)
		r = append(&head, body.data, body.len);
	return r < 0 ? r : append(buffer, head.data, head.len);
}
