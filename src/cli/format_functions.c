/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/json_write.h"
#include "cli/format_internal.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct call {
	struct arena *arena;
	const char *name;
	const struct value *args;
	size_t n;
	struct value *ret;
	struct err *err;
};

static int wrong(struct call *c, const char *what)
{
	return err_user(c->err, "format: %s: %s", c->name, what);
}

static int give_text(struct call *c, const char *text)
{
	*c->ret = (struct value){ .type = VALUE_TEXT, .text = text };
	return 0;
}

static int give_bool(struct call *c, bool boolean)
{
	*c->ret = (struct value){ .type = VALUE_BOOL, .boolean = boolean };
	return 0;
}

/* A member that is not there must not be printed by way of a function either. */
static int text_of(struct call *c, size_t i, const char **ret)
{
	struct format_text out = { .arena = c->arena };

	if (c->args[i].type == VALUE_MISSING)
		return err_user(c->err, "format: there is no \"%s\"", c->args[i].text);
	format_add_string(&out, "");
	format_print(&out, &c->args[i]);
	*ret = out.text;
	return 0;
}

static int number_of(struct call *c, size_t i, int64_t *ret)
{
	if (c->args[i].type != VALUE_NUMBER)
		return wrong(c, "an argument is no number");
	*ret = c->args[i].number;
	return 0;
}

/* ---- logic ------------------------------------------------------------------------------------------------------- */

/* The first that decides, or the last. */
static int call_and(struct call *c)
{
	size_t i = 0;

	while (i + 1 < c->n && format_is_true(&c->args[i]))
		i++;
	*c->ret = c->args[i];
	return 0;
}

static int call_or(struct call *c)
{
	size_t i = 0;

	while (i + 1 < c->n && !format_is_true(&c->args[i]))
		i++;
	*c->ret = c->args[i];
	return 0;
}

static int call_not(struct call *c)
{
	return give_bool(c, !format_is_true(&c->args[0]));
}

/* Return: < 0, 0, > 0 in *ret; numbers by value, the rest by what is printed */
static int compare(struct call *c, size_t a, size_t b, int *ret)
{
	const struct value *x = &c->args[a], *y = &c->args[b];
	const char *of_x = "", *of_y = "";
	int r = 0;

	if (x->type == VALUE_NUMBER && y->type == VALUE_NUMBER) {
		*ret = (x->number > y->number) - (x->number < y->number);
		return 0;
	}
	/* What is not there equals nothing that is. */
	if (x->type == VALUE_MISSING || y->type == VALUE_MISSING) {
		*ret = (x->type != VALUE_MISSING) - (y->type != VALUE_MISSING);
		return 0;
	}
	if (x->type != y->type && x->type != VALUE_NIL && y->type != VALUE_NIL)
		return wrong(c, "things of different types can't be compared");
	r = text_of(c, a, &of_x);
	if (r == 0)
		r = text_of(c, b, &of_y);
	*ret = strcmp(of_x, of_y);
	return r;
}

static int call_eq(struct call *c)
{
	for (size_t i = 1; i < c->n; i++) {
		int order, r = compare(c, 0, i, &order);

		if (r < 0)
			return r;
		if (order == 0)
			return give_bool(c, true);
	}
	return give_bool(c, false);
}

static int call_order(struct call *c)
{
	int order, r = compare(c, 0, 1, &order);

	if (r < 0)
		return r;
	switch (c->name[0]) {
	case 'n':
		return give_bool(c, order != 0);
	case 'l':
		return give_bool(c, c->name[1] == 't' ? order < 0 : order <= 0);
	default:
		return give_bool(c, c->name[1] == 't' ? order > 0 : order >= 0);
	}
}

/* ---- lists ------------------------------------------------------------------------------------------------------- */

static int index_once(struct call *c, struct value *value, const struct value *by)
{
	if (value->type == VALUE_NIL || value->type == VALUE_MISSING) {
		*value = (struct value){ .type = VALUE_TEXT, .text = "" };
		return 0;
	}
	if (value->type == VALUE_JSON && value->json->type == JSON_OBJECT) {
		const struct json *member =
			by->type == VALUE_TEXT ? json_member(value->json, by->text) : NULL;

		if (by->type != VALUE_TEXT)
			return wrong(c, "a map has texts as keys");
		*value = member ? format_value(member)
				: (struct value){ .type = VALUE_TEXT, .text = "" };
		return 0;
	}
	if (by->type != VALUE_NUMBER)
		return wrong(c, "a list has numbers as keys");
	if (by->number < 0 || (uint64_t)by->number >= format_entries(value))
		return wrong(c, "there is nothing at this place of the list");
	*value = format_entry(value, (size_t)by->number);
	return 0;
}

static int call_index(struct call *c)
{
	struct value value = c->args[0];
	int r = 0;

	for (size_t i = 1; r == 0 && i < c->n; i++)
		r = index_once(c, &value, &c->args[i]);
	*c->ret = value;
	return r;
}

static int call_len(struct call *c)
{
	const struct value *value = &c->args[0];
	size_t len = value->type == VALUE_TEXT ? strlen(value->text) : format_entries(value);

	if (value->type == VALUE_NUMBER || value->type == VALUE_BOOL)
		return wrong(c, "it has no length");
	*c->ret = (struct value){ .type = VALUE_NUMBER, .number = (int64_t)len };
	return 0;
}

static int call_slice(struct call *c)
{
	const struct value *value = &c->args[0];
	size_t len = value->type == VALUE_TEXT ? strlen(value->text) : format_entries(value);
	int64_t from = 0, to = (int64_t)len;
	struct value *items;
	int r = c->n > 1 ? number_of(c, 1, &from) : 0;

	if (r == 0 && c->n > 2)
		r = number_of(c, 2, &to);
	if (r < 0)
		return r;
	if (from < 0 || to < from || (uint64_t)to > len)
		return wrong(c, "there is nothing at this place");
	if (value->type == VALUE_TEXT)
		return give_text(c,
				 arena_strndup(c->arena, value->text + from, (size_t)(to - from)));
	items = arena_array(c->arena, (size_t)(to - from) + 1, sizeof(*items));
	for (int64_t i = from; i < to; i++)
		items[i - from] = format_entry(value, (size_t)i);
	*c->ret = (struct value){ .type = VALUE_LIST, .items = items, .n = (size_t)(to - from) };
	return 0;
}

static int call_join(struct call *c)
{
	struct format_text out = { .arena = c->arena };
	const char *between;
	int r = text_of(c, 1, &between);

	if (r < 0)
		return r;
	format_add_string(&out, "");
	for (size_t i = 0; i < format_entries(&c->args[0]); i++) {
		struct value entry = format_entry(&c->args[0], i);

		format_add_string(&out, i ? between : "");
		format_print(&out, &entry);
	}
	return give_text(c, out.text);
}

static int call_split(struct call *c)
{
	const char *text, *by = NULL, *at;
	struct value *items;
	size_t n = 0;
	int r = text_of(c, 0, &text);

	if (r == 0)
		r = text_of(c, 1, &by);
	if (r < 0)
		return r;
	if (!*by)
		return wrong(c, "by nothing");
	items = arena_array(c->arena, strlen(text) + 1, sizeof(*items));
	while ((at = strstr(text, by))) {
		items[n++] = (struct value){ .type = VALUE_TEXT,
					     .text = arena_strndup(c->arena, text,
								   (size_t)(at - text)) };
		text = at + strlen(by);
	}
	items[n++] = (struct value){ .type = VALUE_TEXT, .text = text };
	*c->ret = (struct value){ .type = VALUE_LIST, .items = items, .n = n };
	return 0;
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

static void write_json(struct json_writer *w, const struct value *value)
{
	switch (value->type) {
	case VALUE_BOOL:
		json_add_bool(w, NULL, value->boolean);
		break;
	case VALUE_NUMBER:
		json_add_i64(w, NULL, value->number);
		break;
	case VALUE_TEXT:
		json_add_string(w, NULL, value->text);
		break;
	case VALUE_JSON:
		json_add_value(w, NULL, value->json);
		break;
	case VALUE_LIST:
		json_array_begin(w, NULL);
		for (size_t i = 0; i < value->n; i++)
			write_json(w, &value->items[i]);
		json_array_end(w);
		break;
	default:
		json_add_null(w, NULL);
	}
}

static int call_json(struct call *c)
{
	struct json_writer w;

	json_writer_init(&w, c->arena, 0);
	write_json(&w, &c->args[0]);
	return give_text(c, json_writer_text(&w, NULL));
}

/* upper, lower, title: of ASCII, as names and states are */
static int call_case(struct call *c)
{
	const char *text;
	bool begins = true;
	char *out;
	int r = text_of(c, 0, &text);

	if (r < 0)
		return r;
	out = arena_strdup(c->arena, text);
	for (char *at = out; *at; at++) {
		if (c->name[0] == 'u' || (c->name[0] == 't' && begins))
			*at = (char)toupper((unsigned char)*at);
		else if (c->name[0] == 'l')
			*at = (char)tolower((unsigned char)*at);
		begins = isspace((unsigned char)*at);
	}
	return give_text(c, out);
}

#define PAD_MAX 1000

static int call_pad(struct call *c)
{
	int64_t before, after = 0;
	const char *text = "";
	int r = text_of(c, 0, &text);

	if (r == 0)
		r = number_of(c, 1, &before);
	if (r == 0)
		r = number_of(c, 2, &after);
	if (r < 0 || !*text)
		return r < 0 ? r : give_text(c, "");
	if (before < 0 || after < 0 || before > PAD_MAX || after > PAD_MAX)
		return wrong(c, "so many blanks");
	return give_text(c,
			 arena_printf(c->arena, "%*s%s%*s", (int)before, "", text, (int)after, ""));
}

static int call_truncate(struct call *c)
{
	const char *text = "";
	int64_t len = 0;
	int r = text_of(c, 0, &text);

	if (r == 0)
		r = number_of(c, 1, &len);
	if (r < 0)
		return r;
	return give_text(c, len >= 0 && (uint64_t)len < strlen(text)
				    ? arena_strndup(c->arena, text, (size_t)len)
				    : text);
}

/* print, println: with blanks between what are no texts, and always in a line */
static int call_print(struct call *c)
{
	struct format_text out = { .arena = c->arena };
	bool line = c->name[5] != '\0';

	format_add_string(&out, "");
	for (size_t i = 0; i < c->n; i++) {
		bool text = c->args[i].type == VALUE_TEXT;
		const char *printed;
		int r = text_of(c, i, &printed);

		if (r < 0)
			return r;
		if (i && (line || (!text && c->args[i - 1].type != VALUE_TEXT)))
			format_add_string(&out, " ");
		format_add_string(&out, printed);
	}
	format_add_string(&out, line ? "\n" : "");
	return give_text(c, out.text);
}

/* Go and JSON quote texts alike, but for what no name has. */
static const char *quoted(struct call *c, const char *text)
{
	struct json_writer w;

	json_writer_init(&w, c->arena, 0);
	json_add_string(&w, NULL, text);
	return json_writer_text(&w, NULL);
}

/* One argument by the verb's letter. @flags: what stands between "%" and it */
static int add_verb(struct call *c, struct format_text *out, char verb, const char *flags, size_t i)
{
	const char *text;
	char number[80];
	int r = text_of(c, i, &text);

	if (r < 0)
		return r;
	switch (verb) {
	case 'd':
	case 'x':
		if (c->args[i].type != VALUE_NUMBER)
			return wrong(c, "%d needs a number");
		snprintf(number, sizeof(number), "%" PRId64, c->args[i].number);
		if (verb == 'x')
			snprintf(number, sizeof(number), "%llx",
				 (unsigned long long)c->args[i].number);
		text = number;
		break;
	case 'q':
		text = quoted(c, text);
		break;
	case 's':
	case 'v':
	case 't':
		break;
	default:
		return wrong(c, "an unknown verb");
	}
	format_add_string(out,
			  arena_printf(c->arena, arena_printf(c->arena, "%%%ss", flags), text));
	return 0;
}

static int call_printf(struct call *c)
{
	struct format_text out = { .arena = c->arena };
	const char *at;
	size_t arg = 1;
	int r = text_of(c, 0, &at);

	format_add_string(&out, "");
	while (r == 0 && *at) {
		size_t len = strcspn(at, "%"), flags;
		char text[8];

		format_add(&out, at, len);
		at += len;
		if (!*at)
			break;
		flags = strspn(at + 1, "-0123456789");
		if (at[1] == '%') {
			format_add_string(&out, "%");
			at += 2;
			continue;
		}
		if (flags >= 5 || !at[1 + flags])
			return wrong(c, "a verb that is not understood");
		if (arg >= c->n)
			return wrong(c, "too few arguments");
		snprintf(text, sizeof(text), "%.*s", (int)flags, at + 1);
		r = add_verb(c, &out, at[1 + flags], text, arg++);
		at += flags + 2;
	}
	if (r == 0 && arg < c->n)
		return wrong(c, "too many arguments");
	return r < 0 ? r : give_text(c, out.text);
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

#define ANY 100

static const struct {
	const char *name;
	size_t min, max;
	int (*call)(struct call *c);
} functions[] = {
	{ "and", 1, ANY, call_and },       { "eq", 2, ANY, call_eq },
	{ "ge", 2, 2, call_order },        { "gt", 2, 2, call_order },
	{ "index", 1, ANY, call_index },   { "join", 2, 2, call_join },
	{ "json", 1, 1, call_json },       { "le", 2, 2, call_order },
	{ "len", 1, 1, call_len },         { "lower", 1, 1, call_case },
	{ "lt", 2, 2, call_order },        { "ne", 2, 2, call_order },
	{ "not", 1, 1, call_not },         { "or", 1, ANY, call_or },
	{ "pad", 3, 3, call_pad },         { "print", 0, ANY, call_print },
	{ "printf", 1, ANY, call_printf }, { "println", 0, ANY, call_print },
	{ "slice", 1, 3, call_slice },     { "split", 2, 2, call_split },
	{ "title", 1, 1, call_case },      { "truncate", 2, 2, call_truncate },
	{ "upper", 1, 1, call_case },
};

bool format_is_function(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
		if (strcmp(functions[i].name, name) == 0)
			return true;
	}
	return false;
}

int format_call(struct arena *arena, const char *name, const struct value *args, size_t n,
		struct value *ret, struct err *err)
{
	struct call c = { arena, name, args, n, ret, err };

	for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
		if (strcmp(functions[i].name, name) != 0)
			continue;
		if (n < functions[i].min || n > functions[i].max)
			return wrong(&c, "so many arguments it doesn't take");
		return functions[i].call(&c);
	}
	return err_bug(err, "format: function \"%s\" was taken for one", name);
}
