/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spec/decode.h"

#include "base/num.h"

#include <inttypes.h>
#include <string.h>

/* Every list of config.h begins like this. */
struct any_list {
	void *items;
	size_t n;
};

static int expected(struct decoder *d, const struct json *v, const char *what)
{
	return decode_fail(d, v, "expected %s, got %s", what, decode_got(d, v));
}

/* ---- integers ----------------------------------------------------------------------------------------------- */

static int bad_integer(struct decoder *d, const struct json *v, int64_t min, uint64_t max)
{
	if (v->type == JSON_NUMBER && num_u64(v->text, v->len, &(uint64_t){ 0 }) == -EINVAL &&
	    num_i64(v->text, v->len, &(int64_t){ 0 }) == -EINVAL)
		return expected(d, v, "an integer in plain digits");
	return decode_fail(d, v, "expected an integer from %" PRId64 " to %" PRIu64 ", got %s", min,
			   max, decode_got(d, v));
}

static int read_unsigned(struct decoder *d, const struct field *f, const struct json *v,
			 uint64_t type_max, uint64_t *ret)
{
	uint64_t max = f->max ? f->max : type_max;

	if (json_u64(v, ret) < 0 || *ret < (uint64_t)f->min || *ret > max)
		return bad_integer(d, v, f->min, max);
	if (f->flags & NOT_MINUS_ONE && *ret == UINT32_MAX)
		return decode_fail(
			d, v, "4294967295 is no usable id: to the kernel it means \"leave it\"");
	return 0;
}

static int read_signed(struct decoder *d, const struct field *f, const struct json *v,
		       int64_t type_min, int64_t type_max, int64_t *ret)
{
	/* A row without bounds has both 0. */
	int64_t min = f->min || f->max ? f->min : type_min;
	int64_t max = f->max ? (int64_t)f->max : type_max;

	if (json_i64(v, ret) < 0 || *ret < min || *ret > max)
		return bad_integer(d, v, min, (uint64_t)max);
	return 0;
}

static int decode_integer(struct decoder *d, const struct field *f, const struct json *v, void *out)
{
	int64_t i = 0;
	uint64_t u = 0;
	int r;

	switch (f->kind) {
	case FIELD_I32:
		r = read_signed(d, f, v, INT32_MIN, INT32_MAX, &i);
		*(int32_t *)out = (int32_t)i;
		return r;
	case FIELD_I64:
		return read_signed(d, f, v, INT64_MIN, INT64_MAX, out);
	case FIELD_OPT_I64:
		r = read_signed(d, f, v, INT64_MIN, INT64_MAX, &i);
		*(struct opt_i64 *)out = (struct opt_i64){ true, i };
		return r;
	case FIELD_U32:
		r = read_unsigned(d, f, v, UINT32_MAX, &u);
		*(uint32_t *)out = (uint32_t)u;
		return r;
	case FIELD_U64:
		return read_unsigned(d, f, v, UINT64_MAX, out);
	case FIELD_OPT_U64:
		r = read_unsigned(d, f, v, UINT64_MAX, &u);
		*(struct opt_u64 *)out = (struct opt_u64){ true, u };
		return r;
	case FIELD_OPT_U32:
		r = read_unsigned(d, f, v, UINT32_MAX, &u);
		*(struct opt_u32 *)out = (struct opt_u32){ true, (uint32_t)u };
		return r;
	case FIELD_OPT_U16:
		r = read_unsigned(d, f, v, UINT16_MAX, &u);
		*(struct opt_u16 *)out = (struct opt_u16){ true, (uint16_t)u };
		return r;
	default:
		return err_bug(d->err, "decode \"%s\": no integer", f->name);
	}
}

/* ---- strings and words -------------------------------------------------------------------------------------- */

static int read_string(struct decoder *d, const struct field *f, const struct json *v,
		       const char **ret)
{
	if (v->type != JSON_STRING)
		return expected(d, v, "a string");
	if (f->flags & NOT_EMPTY && !v->len)
		return decode_fail(d, v, "must not be empty");
	if (f->flags & EMPTY_IS_ABSENT && !v->len)
		return 0;
	if (f->flags & ABSOLUTE && v->text[0] != '/')
		return expected(d, v, "an absolute path");

	*ret = v->text;
	return f->check ? f->check(d, v, ret) : 0;
}

static int want_array(struct decoder *d, const struct field *f, const struct json *v)
{
	if (v->type != JSON_ARRAY)
		return expected(d, v, "an array");
	if (f->flags & LIST_NOT_EMPTY && !v->len)
		return decode_fail(d, v, "must have at least one entry");
	return 0;
}

static int want_object(struct decoder *d, const struct json *v)
{
	return v->type == JSON_OBJECT ? 0 : expected(d, v, "an object");
}

static int read_word(struct decoder *d, const struct field *f, const struct json *v, uint64_t *ret)
{
	const char *near;

	if (v->type != JSON_STRING)
		return expected(d, v, "a string");
	if (words_find(f->words, v->text, ret))
		return 0;

	near = words_near(f->words, v->text);
	decode_fail(d, v, "%s is not %s", decode_got(d, v), f->words->what);
	if (near)
		err_hint(d->err, "did you mean \"%s\"?", near);
	return -EINVAL;
}

/* A word goes into a char, an int or enum, or a 64-bit mask: as wide as its member is. */
static void store(void *out, size_t size, uint64_t value)
{
	if (size == sizeof(uint64_t))
		*(uint64_t *)out = value;
	else if (size == sizeof(uint32_t))
		*(uint32_t *)out = (uint32_t)value;
	else
		*(char *)out = (char)value;
}

static int decode_word(struct decoder *d, const struct field *f, const struct json *v, void *out)
{
	uint64_t value;
	int r;

	r = read_word(d, f, v, &value);
	if (r < 0)
		return r;
	store(out, f->size, value);
	return 0;
}

static int decode_word_bits(struct decoder *d, const struct field *f, const struct json *v,
			    void *out)
{
	const struct json *entry;
	uint64_t bits = 0, value;
	int r;

	r = want_array(d, f, v);
	if (r < 0)
		return r;
	json_each(entry, v) {
		r = read_word(d, f, entry, &value);
		if (r < 0)
			return r;
		bits |= value;
	}
	store(out, f->size, bits);
	return 0;
}

/* ---- objects ------------------------------------------------------------------------------------------------ */

/*
 * Lists and maps: one entry of the document is one item of the list. A map's item begins with the entry's name; @of is
 * the rest of it.
 */
typedef int entry_fn(struct decoder *d, const struct field *f, const struct json *entry, void *of);

static int string_entry(struct decoder *d, const struct field *f, const struct json *entry,
			void *of)
{
	return read_string(d, f, entry, of);
}

static int u32_entry(struct decoder *d, const struct field *f, const struct json *entry, void *of)
{
	uint64_t value = 0;
	int r = read_unsigned(d, f, entry, UINT32_MAX, &value);

	*(uint32_t *)of = (uint32_t)value;
	return r;
}

static int key_value_entry(struct decoder *d, const struct field *f, const struct json *entry,
			   void *of)
{
	return read_string(d, f, entry, &((struct key_value *)of)->value);
}

static int object_entry(struct decoder *d, const struct field *f, const struct json *entry,
			void *of)
{
	return decode_object(d, f->object, entry, of);
}

static int decode_entries(struct decoder *d, const struct field *f, const struct json *v,
			  struct any_list *out, size_t size, entry_fn *decode)
{
	const struct json *entry;

	out->items = arena_array(d->arena, v->len, size);
	json_each(entry, v) {
		void *item = (char *)out->items + out->n * size;
		int r;

		if (entry->key && !entry->key[0])
			return decode_fail(d, v, "a name in it is empty");
		if (entry->key)
			*(const char **)item = entry->key;
		r = decode(d, f, entry, item);
		if (r < 0)
			return r;
		out->n++;
	}
	return 0;
}

static int decode_list(struct decoder *d, const struct field *f, const struct json *v, void *out)
{
	int r = want_array(d, f, v);

	if (r < 0)
		return r;
	if (f->kind == FIELD_STRINGS)
		return decode_entries(d, f, v, out, sizeof(char *), string_entry);
	if (f->kind == FIELD_U32S)
		return decode_entries(d, f, v, out, sizeof(uint32_t), u32_entry);
	return decode_entries(d, f, v, out, f->object->size, object_entry);
}

static int decode_map(struct decoder *d, const struct field *f, const struct json *v, void *out)
{
	int r = want_object(d, v);

	if (r < 0)
		return r;
	if (f->kind == FIELD_STRING_MAP)
		return decode_entries(d, f, v, out, sizeof(struct key_value), key_value_entry);
	return decode_entries(d, f, v, out, f->object->size, object_entry);
}

static int decode_bool(struct decoder *d, const struct field *f, const struct json *v, void *out)
{
	if (v->type != JSON_BOOL)
		return expected(d, v, "true or false");
	if (f->kind == FIELD_BOOL)
		*(bool *)out = v->boolean;
	else
		*(struct opt_bool *)out = (struct opt_bool){ true, v->boolean };
	return 0;
}

static int decode_section(struct decoder *d, const struct field *f, const struct json *v, void *out)
{
	if (f->flags & MARKS_SET)
		*(bool *)out = true;
	return decode_object(d, f->object, v, out);
}

int decode_value(struct decoder *d, const struct field *f, const struct json *v, void *base)
{
	void *out = (char *)base + f->offset;

	switch (f->kind) {
	case FIELD_IGNORED:
		return decode_ignored(d, v, NULL, f->why);
	case FIELD_BOOL:
	case FIELD_OPT_BOOL:
		return decode_bool(d, f, v, out);
	case FIELD_STRING:
		return read_string(d, f, v, out);
	case FIELD_STRINGS:
	case FIELD_U32S:
	case FIELD_OBJECTS:
		return decode_list(d, f, v, out);
	case FIELD_STRING_MAP:
	case FIELD_OBJECT_MAP:
		return decode_map(d, f, v, out);
	case FIELD_WORD:
		return decode_word(d, f, v, out);
	case FIELD_WORD_BITS:
		return decode_word_bits(d, f, v, out);
	case FIELD_GROUP:
		return decode_object(d, f->object, v, base);
	case FIELD_OBJECT:
		return decode_section(d, f, v, out);
	case FIELD_CUSTOM:
		return f->custom(d, v, out);
	default:
		return decode_integer(d, f, v, out);
	}
}

static const struct field *find_field(const struct object *object, const char *name)
{
	for (size_t i = 0; i < object->n_fields; i++) {
		if (!strcmp(object->fields[i].name, name))
			return &object->fields[i];
	}
	return NULL;
}

static bool has_value(const struct json *object, const char *name)
{
	const struct json *member = json_member(object, name);

	return member && member->type != JSON_NULL;
}

int decode_object(struct decoder *d, const struct object *object, const struct json *v, void *out)
{
	const struct json *member;
	int r;

	r = want_object(d, v);
	if (r < 0)
		return r;

	json_each(member, v) {
		const struct field *f = find_field(object, member->key);

		if (!f)
			r = decode_unknown(d, object, member);
		else if (member->type != JSON_NULL)
			r = decode_value(d, f, member, out);
		if (r < 0)
			return r;
	}

	for (size_t i = 0; i < object->n_fields; i++) {
		if (object->fields[i].flags & REQUIRED && !has_value(v, object->fields[i].name))
			return decode_fail(d, v, "\"%s\" is missing", object->fields[i].name);
	}
	return object->check ? object->check(d, v, out) : 0;
}

int decode_document(struct decoder *d, const struct object *object, void *out)
{
	const struct json *root;
	int r;

	if (d->len > CONFIG_MAX_BYTES)
		return err_user(d->err, "read %s: %zu bytes are more than the limit of %zu",
				d->name, d->len, CONFIG_MAX_BYTES);
	d->top = object;
	r = json_parse(d->arena, d->text, d->len, &root, d->err);
	if (r == 0)
		r = decode_object(d, object, root, out);
	/* Of an image there are several documents; a container has its config.json. */
	if (r < 0 && d->open && d->err->pointer[0])
		err_in(d->err, d->name);
	return r;
}
