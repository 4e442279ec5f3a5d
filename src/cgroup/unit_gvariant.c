/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/unit_gvariant.h"

#include "base/num.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	struct arena *arena;
	const char *text, *at;
	struct gvariant *ret;
	int depth;
};

static const struct {
	const char *name, *type;
} type_words[] = {
	{ "boolean", "b" },   { "byte", "y" },   { "int16", "n" },  { "uint16", "q" },
	{ "int32", "i" },     { "uint32", "u" }, { "int64", "x" },  { "uint64", "t" },
	{ "double", "d" },    { "string", "s" }, { "handle", "h" }, { "objectpath", "o" },
	{ "signature", "g" },
};

/* The type of the value that was read, or NULL after a complaint. */
static const char *parse_value(struct parser *p, const char *want);

static const char *complain(struct parser *p, const char *why)
{
	if (!p->ret->why) {
		p->ret->why = why;
		p->ret->at = (size_t)(p->at - p->text);
	}
	return NULL;
}

static void skip_blanks(struct parser *p)
{
	p->at += strspn(p->at, " \t\n\r");
}

static bool take(struct parser *p, char c)
{
	skip_blanks(p);
	if (*p->at != c)
		return false;
	p->at++;
	return true;
}

static bool add_word(struct parser *p, const char *word)
{
	if (p->ret->words.n >= GVARIANT_WORDS_MAX) {
		complain(p, "it is too long");
		return false;
	}
	p->ret->words.items[p->ret->words.n++] = word;
	return true;
}

/* ---- simple values ---------------------------------------------------------------------------------------------- */

static const char *parse_string(struct parser *p, const char *want)
{
	static const char escapes[] = "abfnrtv", meanings[] = "\a\b\f\n\r\t\v";
	char quote = *p->at++, *out = arena_alloc(p->arena, strlen(p->at) + 1), *to = out;
	const char *escape;

	while (*p->at && *p->at != quote) {
		if (*p->at == '\\') {
			p->at++;
			if (*p->at == '\0' || *p->at == 'u' || *p->at == 'U')
				return complain(p, "this escape is not known");
			escape = strchr(escapes, *p->at);
			*to++ = escape ? meanings[escape - escapes] : *p->at;
			p->at++;
			continue;
		}
		*to++ = *p->at++;
	}
	if (*p->at != quote)
		return complain(p, "the string has no end");
	p->at++;
	if (want && strcmp(want, "s") != 0 && strcmp(want, "o") != 0 && strcmp(want, "g") != 0)
		return complain(p, "a string is not of that type");
	return add_word(p, out) ? (want ? want : "s") : NULL;
}

/* Hexadecimal and octal numbers become decimal ones, which is what dbus_put() takes. */
static const char *decimal(struct parser *p, const char *token)
{
	bool negative = *token == '-';
	const char *digits = token + (negative || *token == '+');
	char *end;
	unsigned long long value;

	if (!isdigit((unsigned char)*digits))
		return NULL;
	errno = 0;
	value = strtoull(digits, &end, 0);
	if (*end || errno)
		return NULL;
	return arena_printf(p->arena, "%s%llu", negative && value ? "-" : "", value);
}

static const char *parse_number(struct parser *p, const char *want)
{
	size_t len = strspn(p->at, "0123456789abcdefABCDEFxX.+-");
	const char *token = arena_strndup(p->arena, p->at, len), *word;
	bool fraction = strchr(token, '.') != NULL;
	struct num_decimal number;
	const char *rest;

	if (want && (want[1] || !strchr("ynqiuxtdh", *want)))
		return complain(p, "a number is not of that type");
	if (fraction) {
		rest = num_decimal(token + (*token == '-' || *token == '+'), &number);
		if (!rest || *rest || (want && *want != 'd'))
			return complain(p, "that is no such number");
		word = token;
	} else {
		word = decimal(p, token);
	}
	if (!word)
		return complain(p, "that is no number");
	p->at += len;
	if (!add_word(p, word))
		return NULL;
	return want ? want : fraction ? "d" : "i";
}

static const char *type_of_word(const char *word, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(type_words); i++) {
		if (strlen(type_words[i].name) == len && memcmp(type_words[i].name, word, len) == 0)
			return type_words[i].type;
	}
	return NULL;
}

/* true, false, or the name of a type before a value */
static const char *parse_word(struct parser *p, const char *want)
{
	size_t len = strspn(p->at, "abcdefghijklmnopqrstuvwxyz0123456789");
	const char *type = type_of_word(p->at, len);
	bool yes = len == 4 && memcmp(p->at, "true", len) == 0,
	     no = len == 5 && memcmp(p->at, "false", len) == 0;

	if (type) {
		if (want && strcmp(want, type) != 0)
			return complain(p, "two types contradict each other");
		p->at += len;
		return parse_value(p, type);
	}
	if (!yes && !no)
		return complain(p, "a value is expected");
	if (want && strcmp(want, "b") != 0)
		return complain(p, "a truth is not of that type");
	p->at += len;
	return add_word(p, yes ? "true" : "false") ? "b" : NULL;
}

/* ---- compound values -------------------------------------------------------------------------------------------- */

/* Length of the complete type at @type, of those that we read; 0 if it is none. */
static size_t type_len(const char *type, int depth)
{
	size_t len = 1, one;

	if (depth > GVARIANT_DEPTH_MAX || !*type)
		return 0;
	if (*type == 'a') {
		one = type_len(type + 1, depth + 1);
		return one ? one + 1 : 0;
	}
	if (*type != '(')
		return strchr("bynqiuxtdsogh", *type) ? 1 : 0;
	while (type[len] != ')') {
		one = type_len(type + len, depth + 1);
		if (!one)
			return 0;
		len += one;
	}
	return len > 1 ? len + 1 : 0;
}

static const char *parse_array(struct parser *p, const char *want)
{
	size_t count_at = p->ret->words.n, n = 0;
	const char *element = NULL, *type;

	if (want && *want != 'a')
		return complain(p, "an array is not of that type");
	if (want)
		element = want + 1;
	if (!add_word(p, ""))
		return NULL;
	if (!take(p, ']')) {
		do {
			type = parse_value(p, element);
			if (!type)
				return NULL;
			element = type;
			n++;
		} while (take(p, ','));
		if (!take(p, ']'))
			return complain(p, "\",\" or \"]\" is expected");
	}
	if (!element)
		return complain(p, "an empty array needs a type, e.g. \"@as []\"");
	p->ret->words.items[count_at] = arena_printf(p->arena, "%zu", n);
	return arena_printf(p->arena, "a%s", element);
}

static const char *parse_tuple(struct parser *p, const char *want)
{
	const char *types = "", *type, *next = want ? want + 1 : NULL, *one;
	size_t len;

	if (want && *want != '(')
		return complain(p, "a tuple is not of that type");
	while (!take(p, ')')) {
		len = next ? type_len(next, 0) : 0;
		one = len ? arena_strndup(p->arena, next, len) : NULL;
		if (next && !len)
			return complain(p, "the tuple has more values than its type");
		type = parse_value(p, one);
		if (!type)
			return NULL;
		types = arena_printf(p->arena, "%s%s", types, type);
		next = next ? next + len : NULL;
		if (!take(p, ',') && *p->at != ')')
			return complain(p, "\",\" or \")\" is expected");
	}
	if (!*types || (next && *next != ')'))
		return complain(p, "the tuple has fewer values than its type, or none");
	return arena_printf(p->arena, "(%s)", types);
}

/* "@as" before a value */
static const char *parse_typed(struct parser *p, const char *want)
{
	size_t len = type_len(p->at, 0);
	const char *type = arena_strndup(p->arena, p->at, len);

	if (!len)
		return complain(p, "that is no type, or none that a property can have");
	if (want && strcmp(want, type) != 0)
		return complain(p, "two types contradict each other");
	p->at += len;
	return parse_value(p, type);
}

static const char *parse_value(struct parser *p, const char *want)
{
	const char *type;

	if (++p->depth > GVARIANT_DEPTH_MAX)
		return complain(p, "it is nested too deeply");
	skip_blanks(p);
	if (*p->at == '\'' || *p->at == '"')
		type = parse_string(p, want);
	else if (*p->at && strchr("0123456789+-.", *p->at))
		type = parse_number(p, want);
	else if (take(p, '['))
		type = parse_array(p, want);
	else if (take(p, '('))
		type = parse_tuple(p, want);
	else if (take(p, '@'))
		type = parse_typed(p, want);
	else
		type = parse_word(p, want);
	p->depth--;
	return type;
}

int gvariant_parse(struct arena *arena, const char *text, struct gvariant *ret)
{
	struct parser p = { .arena = arena, .text = text, .at = text, .ret = ret };

	*ret = (struct gvariant){ 0 };
	ret->words.items = arena_array(arena, GVARIANT_WORDS_MAX, sizeof(const char *));
	ret->signature = parse_value(&p, NULL);
	skip_blanks(&p);
	if (ret->signature && *p.at)
		complain(&p, "something follows the value");
	return ret->why ? -EINVAL : 0;
}
