/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/toml.h"

#include "base/ascii.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BARE_KEY "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* A value, and what the rules of tables need to know of it. */
struct node {
	struct json json;  /* first: a node is its value */
	struct node *last; /* child */
	bool defined;      /* by a header: no second one may */
	bool closed;       /* inline, or an array's: nothing may be added */
	bool dotted;       /* made by a dotted key: no header may define it */
};

struct toml {
	struct arena *arena;
	const char *text, *at, *end;
	struct err *err;
	unsigned values, depth;
};

struct key {
	const char *parts[TOML_MAX_DEPTH];
	size_t n;
	const char *at; /* where it stands */
};

static int parse_value(struct toml *t, struct node *node);

/* ---- complaints and characters ---------------------------------------------------------------------------------- */

static int bad(struct toml *t, const char *at, const char *fmt, ...) PRINTF_LIKE(3, 4);
static int bad(struct toml *t, const char *at, const char *fmt, ...)
{
	char text[300], shown[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	utf8_printable(text, shown, sizeof(shown));
	return err_user(t->err, "line %u: %s",
			json_line(t->text, (size_t)(t->end - t->text), (size_t)(at - t->text)),
			shown);
}

static char peek(const struct toml *t)
{
	return t->at < t->end ? *t->at : '\0';
}

static bool accept(struct toml *t, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(t->end - t->at) < len || memcmp(t->at, word, len) != 0)
		return false;
	t->at += len;
	return true;
}

static void skip_blanks(struct toml *t)
{
	while (peek(t) == ' ' || peek(t) == '\t')
		t->at++;
}

static void skip_comment(struct toml *t)
{
	if (peek(t) != '#')
		return;
	while (t->at < t->end && *t->at != '\n')
		t->at++;
}

/* Blanks, comments and line ends: between lines, and inside arrays. */
static void skip_lines(struct toml *t)
{
	do {
		skip_blanks(t);
		skip_comment(t);
	} while (accept(t, "\n") || accept(t, "\r\n"));
}

static int end_line(struct toml *t)
{
	skip_blanks(t);
	skip_comment(t);
	if (t->at == t->end || accept(t, "\n") || accept(t, "\r\n"))
		return 0;
	return bad(t, t->at, "expected the end of the line");
}

/* ---- the tree --------------------------------------------------------------------------------------------------- */

/* Return: NULL, with a complaint, if there are too many */
static struct node *new_node(struct toml *t, struct node *parent, const char *key,
			     enum json_type type)
{
	struct node *node;

	if (++t->values > TOML_MAX_VALUES) {
		bad(t, t->at, "it has more than %d values", TOML_MAX_VALUES);
		return NULL;
	}
	node = arena_alloc(t->arena, sizeof(*node));
	node->json = (struct json){ .key = key,
				    .type = type,
				    .parent = &parent->json,
				    .offset = (uint32_t)(t->at - t->text) };
	node->json.index = parent->json.len++;
	if (parent->last)
		parent->last->json.next = &node->json;
	else
		parent->json.first = &node->json;
	parent->last = node;
	return node;
}

static struct node *find(struct node *table, const char *key)
{
	struct json *child;

	json_each(child, &table->json) {
		if (!strcmp(child->key, key))
			return (struct node *)child;
	}
	return NULL;
}

/* ---- strings ---------------------------------------------------------------------------------------------------- */

/* Behind \u or \U. Return: how many bytes it became; -EINVAL */
static int parse_unicode(struct toml *t, size_t digits, char *out)
{
	const char *begin = t->at - 2;
	uint32_t c = 0;

	for (size_t i = 0; i < digits; i++, t->at++) {
		int digit = ascii_hex_digit(peek(t));

		if (digit < 0)
			return bad(t, begin, "an escape needs %zu hexadecimal digits", digits);
		c = c << 4 | (uint32_t)digit;
	}
	/* A NUL would end the string for every reader of ours. */
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return bad(t, begin, "an escape of no character");
	return (int)utf8_encode(c, out);
}

/* Behind the backslash. Return: how many bytes it became; -EINVAL */
static int parse_escape(struct toml *t, bool multi_line, char *out)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	const char *found = peek(t) ? strchr(from, peek(t)) : NULL;

	if (found) {
		t->at++;
		*out = to[found - from];
		return 1;
	}
	if (accept(t, "u"))
		return parse_unicode(t, 4, out);
	if (accept(t, "U"))
		return parse_unicode(t, 8, out);
	/* At the end of a line: that and the blanks that follow are not meant. */
	if (multi_line && memchr(" \t\r\n", peek(t), 4)) {
		skip_blanks(t);
		if (!accept(t, "\n") && !accept(t, "\r\n"))
			return bad(t, t->at, "a backslash before a blank");
		while (peek(t) && memchr(" \t\r\n", peek(t), 4))
			t->at++;
		return 0;
	}
	return bad(t, t->at, "an unknown escape");
}

/* One character of a string, escaped or not. Return: 0; -EINVAL */
static int parse_character(struct toml *t, const char *quotes, char **out)
{
	bool multi_line = quotes[1];
	unsigned char c = (unsigned char)*t->at;
	int n;

	if (quotes[0] == '"' && accept(t, "\\")) {
		n = parse_escape(t, multi_line, *out);
		*out += n > 0 ? n : 0;
		return n < 0 ? n : 0;
	}
	if (multi_line && accept(t, "\r\n")) {
		*(*out)++ = '\n';
		return 0;
	}
	if ((c < 0x20 && c != '\t' && !(multi_line && c == '\n')) || c == 0x7f)
		return bad(t, t->at, "a %s in a string",
			   c == '\n' ? "line end" : "control character");
	*(*out)++ = (char)c;
	t->at++;
	return 0;
}

/* How many bytes there are up to the quotes that end a string, or to the end of everything. */
static size_t raw_length(const struct toml *t, const char *quotes)
{
	size_t len = strlen(quotes);
	const char *at = t->at;

	while (at < t->end && ((size_t)(t->end - at) < len || memcmp(at, quotes, len) != 0))
		at += quotes[0] == '"' && *at == '\\' && at + 1 < t->end ? 2 : 1;
	return (size_t)(at - t->at);
}

/* A string in any of the four kinds of quotes. No escape becomes longer than it was written. */
static int parse_string(struct toml *t, const char **ret, uint32_t *ret_len)
{
	static const char *const kinds[] = { "\"\"\"", "'''", "\"", "'" };
	const char *begin = t->at, *quotes = NULL;
	char *text, *out;
	int r;

	for (size_t i = 0; !quotes && i < ARRAY_LEN(kinds); i++) {
		if (accept(t, kinds[i]))
			quotes = kinds[i];
	}
	if (!quotes)
		return bad(t, t->at, "expected a string");
	if (quotes[1] && !accept(t, "\n"))
		(void)accept(t, "\r\n");
	text = out = arena_alloc(t->arena, raw_length(t, quotes) + 3);
	while (!accept(t, quotes)) {
		if (t->at == t->end)
			return bad(t, begin, "a string without its end");
		r = parse_character(t, quotes, &out);
		if (r < 0)
			return r;
	}
	/* Up to two quotes may stand before the three that end it. */
	for (int i = 0; quotes[1] && i < 2 && peek(t) == quotes[0]; i++, t->at++)
		*out++ = quotes[0];
	*ret = text;
	*ret_len = (uint32_t)(out - text);
	return 0;
}

/* ---- keys ------------------------------------------------------------------------------------------------------- */

static int parse_key_part(struct toml *t, const char **ret)
{
	uint32_t len;
	size_t n = 0;

	if (peek(t) == '"' || peek(t) == '\'')
		return parse_string(t, ret, &len);
	while (t->at + n < t->end && strchr(BARE_KEY, t->at[n]) && t->at[n])
		n++;
	if (!n)
		return bad(t, t->at, "expected a key");
	*ret = arena_strndup(t->arena, t->at, n);
	t->at += n;
	return 0;
}

static int parse_key(struct toml *t, struct key *key)
{
	int r;

	*key = (struct key){ .at = t->at };
	do {
		skip_blanks(t);
		if (key->n == TOML_MAX_DEPTH)
			return bad(t, t->at, "a key of more than %d parts", TOML_MAX_DEPTH);
		r = parse_key_part(t, &key->parts[key->n++]);
		if (r < 0)
			return r;
		skip_blanks(t);
	} while (accept(t, "."));
	return 0;
}

/* key = value, into @table */
static int parse_pair(struct toml *t, struct node *table)
{
	struct node *node;
	struct key key;
	int r = parse_key(t, &key);

	if (r < 0)
		return r;
	for (size_t i = 0; i + 1 < key.n; i++) {
		node = find(table, key.parts[i]);
		if (node && (node->json.type != JSON_OBJECT || node->closed || node->defined))
			return bad(t, key.at, "\"%.60s\" is already there", key.parts[i]);
		if (!node)
			node = new_node(t, table, key.parts[i], JSON_OBJECT);
		if (!node)
			return -EINVAL;
		node->dotted = true;
		table = node;
	}
	if (find(table, key.parts[key.n - 1]))
		return bad(t, key.at, "\"%.60s\" is already there", key.parts[key.n - 1]);
	if (!accept(t, "="))
		return bad(t, t->at, "expected \"=\" after a key");
	skip_blanks(t);
	node = new_node(t, table, key.parts[key.n - 1], JSON_NULL);
	return node ? parse_value(t, node) : -EINVAL;
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

static int parse_array(struct toml *t, struct node *node)
{
	struct node *entry;
	int r;

	node->json.type = JSON_ARRAY;
	node->closed = true;
	for (;;) {
		skip_lines(t);
		if (accept(t, "]"))
			return 0;
		entry = new_node(t, node, NULL, JSON_NULL);
		r = entry ? parse_value(t, entry) : -EINVAL;
		if (r < 0)
			return r;
		skip_lines(t);
		if (!accept(t, ",") && peek(t) != ']')
			return bad(t, t->at, "expected \",\" or \"]\"");
	}
}

static int parse_inline_table(struct toml *t, struct node *node)
{
	int r;

	node->json.type = JSON_OBJECT;
	skip_blanks(t);
	while (!accept(t, "}")) {
		r = parse_pair(t, node);
		if (r < 0)
			return r;
		skip_blanks(t);
		if (peek(t) == '}')
			continue;
		if (!accept(t, ","))
			return bad(t, t->at, "expected \",\" or \"}\"");
		skip_blanks(t);
		if (peek(t) == '}')
			return bad(t, t->at, "a \",\" before \"}\"");
	}
	node->closed = true;
	return 0;
}

static int parse_scalar(struct toml *t, struct node *node)
{
	const char *begin = t->at;
	size_t sign, digits = 0, n = 0;

	if (accept(t, "true") || accept(t, "false")) {
		node->json.type = JSON_BOOL;
		node->json.boolean = *begin == 't';
		return 0;
	}
	while (t->at + n < t->end && !strchr(" \t\r\n,]}#", t->at[n]))
		n++;
	sign = peek(t) == '-' || peek(t) == '+';
	while (sign + digits < n && t->at[sign + digits] >= '0' && t->at[sign + digits] <= '9')
		digits++;
	if (!digits || sign + digits < n || (digits > 1 && t->at[sign] == '0'))
		return bad(
			t, begin,
			"\"%.*s\" is no value that is known here: strings, whole numbers, true and false are",
			(int)(n < 60 ? n : 60), begin);
	node->json.type = JSON_NUMBER;
	/* JSON knows no "+". */
	node->json.text = begin + (*begin == '+');
	node->json.len = (uint32_t)(begin + n - node->json.text);
	node->json.text = arena_strndup(t->arena, node->json.text, node->json.len);
	t->at += n;
	return 0;
}

static int parse_value(struct toml *t, struct node *node)
{
	int r;

	if (++t->depth > TOML_MAX_DEPTH)
		return bad(t, t->at, "values in more than %d others", TOML_MAX_DEPTH);
	if (accept(t, "[")) {
		r = parse_array(t, node);
	} else if (accept(t, "{")) {
		r = parse_inline_table(t, node);
	} else if (peek(t) == '"' || peek(t) == '\'') {
		node->json.type = JSON_STRING;
		r = parse_string(t, &node->json.text, &node->json.len);
	} else {
		r = parse_scalar(t, node);
	}
	t->depth--;
	return r;
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

/* The table that a part of a header names on the way; made if it is not there. NULL with a complaint */
static struct node *step_into(struct toml *t, struct node *table, const struct key *key, size_t i)
{
	struct node *node = find(table, key->parts[i]);

	if (!node)
		return new_node(t, table, key->parts[i], JSON_OBJECT);
	/* An array of tables: the newest one of them is meant. */
	if (node->json.type == JSON_ARRAY && !node->closed)
		return node->last;
	if (node->json.type == JSON_OBJECT && !node->closed)
		return node;
	bad(t, key->at, "\"%.60s\" is no table that can be added to", key->parts[i]);
	return NULL;
}

/* [name] */
static struct node *define(struct toml *t, struct node *table, const struct key *key)
{
	const char *name = key->parts[key->n - 1];
	struct node *node = find(table, name);

	if (node &&
	    (node->json.type != JSON_OBJECT || node->defined || node->closed || node->dotted)) {
		bad(t, key->at, "\"%.60s\" is already there", name);
		return NULL;
	}
	if (!node)
		node = new_node(t, table, name, JSON_OBJECT);
	if (node)
		node->defined = true;
	return node;
}

/* [[name]] */
static struct node *add_entry(struct toml *t, struct node *table, const struct key *key)
{
	const char *name = key->parts[key->n - 1];
	struct node *list = find(table, name), *node;

	if (list && (list->json.type != JSON_ARRAY || list->closed)) {
		bad(t, key->at, "\"%.60s\" is already there, and no list of tables", name);
		return NULL;
	}
	if (!list)
		list = new_node(t, table, name, JSON_ARRAY);
	node = list ? new_node(t, list, NULL, JSON_OBJECT) : NULL;
	if (node)
		node->defined = true;
	return node;
}

/* Return: the table that the lines below belong to; NULL with a complaint */
static struct node *parse_header(struct toml *t, struct node *root)
{
	bool entry = accept(t, "[[");
	struct node *table = root;
	struct key key;

	if (!entry)
		t->at++;
	if (parse_key(t, &key) < 0)
		return NULL;
	if (!accept(t, entry ? "]]" : "]")) {
		bad(t, t->at, "expected \"%s\"", entry ? "]]" : "]");
		return NULL;
	}
	for (size_t i = 0; table && i + 1 < key.n; i++)
		table = step_into(t, table, &key, i);
	if (!table)
		return NULL;
	return entry ? add_entry(t, table, &key) : define(t, table, &key);
}

static int parse_lines(struct toml *t, struct node *root)
{
	struct node *table = root;
	int r = 0;

	for (;;) {
		skip_lines(t);
		if (t->at == t->end)
			return 0;
		if (peek(t) == '[') {
			table = parse_header(t, root);
			r = table ? 0 : -EINVAL;
		} else {
			r = parse_pair(t, table);
		}
		if (r == 0)
			r = end_line(t);
		if (r < 0)
			return r;
	}
}

static int check_text(struct toml *t)
{
	size_t n;

	for (const char *at = t->text; at < t->end; at += n) {
		n = utf8_decode(at, (size_t)(t->end - at));
		if (!n || !*at)
			return bad(t, at, "it is no UTF-8 text");
	}
	return 0;
}

int toml_parse(struct arena *arena, const char *text, size_t len, const struct json **ret_root,
	       struct err *err)
{
	struct toml t = { .arena = arena, .text = text, .at = text, .end = text + len, .err = err };
	struct node *root;
	int r;

	if (len > TOML_MAX_BYTES)
		return err_user(err, "it has more than %zu bytes", TOML_MAX_BYTES);
	root = arena_alloc(arena, sizeof(*root));
	root->json.type = JSON_OBJECT;
	r = check_text(&t);
	if (r == 0)
		r = parse_lines(&t, root);
	if (r == 0)
		*ret_root = &root->json;
	return r;
}
