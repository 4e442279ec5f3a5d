/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/num.h"
#include "cli/format_internal.h"

#include <ctype.h>
#include <string.h>

struct parser {
	struct arena *arena;
	const char *text, *at;
	int depth;
	struct err *err;
};

/* ---- errors ------------------------------------------------------------------------------------------------------ */

static int wrong(struct parser *p, const char *what)
{
	return err_user(p->err, "format, character %zu: %s", (size_t)(p->at - p->text) + 1, what);
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

static void skip_blanks(struct parser *p)
{
	p->at += strspn(p->at, " \t\r\n");
}

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static const char *take_name(struct parser *p)
{
	const char *begin = p->at;

	while (is_name_char(*p->at))
		p->at++;
	return arena_strndup(p->arena, begin, (size_t)(p->at - begin));
}

/* Is the next word @word; if so, it is taken. */
static bool take_word(struct parser *p, const char *word)
{
	size_t len = strlen(word);

	skip_blanks(p);
	if (strncmp(p->at, word, len) != 0 || is_name_char(p->at[len]))
		return false;
	p->at += len;
	return true;
}

static bool is_end(const struct parser *p)
{
	return !strncmp(p->at, "}}", 2) || (p->at[0] == '-' && !strncmp(p->at + 1, "}}", 2) &&
					    p->at > p->text && isspace((unsigned char)p->at[-1]));
}

/* ---- operands ---------------------------------------------------------------------------------------------------- */

static char escaped(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'r':
		return '\r';
	default:
		return c;
	}
}

static int take_quoted(struct parser *p, const char **ret)
{
	char quote = *p->at++, *out = arena_alloc(p->arena, strlen(p->at) + 1);
	size_t n = 0;

	for (; *p->at && *p->at != quote; p->at++) {
		if (*p->at == '\\' && quote == '"' && p->at[1])
			out[n++] = escaped(*++p->at);
		else
			out[n++] = *p->at;
	}
	if (!*p->at)
		return wrong(p, "a quote is not closed");
	p->at++;
	*ret = out;
	return 0;
}

static int take_number(struct parser *p, struct operand *o)
{
	const char *begin = p->at;

	p->at += *p->at == '-' || *p->at == '+';
	while (isdigit((unsigned char)*p->at))
		p->at++;
	o->kind = OPERAND_NUMBER;
	begin += *begin == '+';
	if (is_name_char(*p->at) || num_i64(begin, (size_t)(p->at - begin), &o->number) < 0)
		return wrong(p, "no integer");
	return 0;
}

static int parse_pipe(struct parser *p, bool may_declare, struct pipe **ret);

static int take_parentheses(struct parser *p, struct operand *o)
{
	int r;

	p->at++;
	o->kind = OPERAND_PIPE;
	if (++p->depth > FORMAT_DEPTH_MAX)
		return wrong(p, "too many parentheses in each other");
	r = parse_pipe(p, false, &o->pipe);
	p->depth--;
	if (r < 0)
		return r;
	skip_blanks(p);
	if (*p->at != ')')
		return wrong(p, "a parenthesis is not closed");
	p->at++;
	return 0;
}

static int take_identifier(struct parser *p, struct operand *o)
{
	static const struct {
		const char *name;
		enum operand_kind kind;
	} words[] = { { "true", OPERAND_TRUE },
		      { "false", OPERAND_FALSE },
		      { "nil", OPERAND_NIL } };
	const char *begin = p->at;

	o->text = take_name(p);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i].name, o->text) == 0) {
			o->kind = words[i].kind;
			return 0;
		}
	}
	o->kind = OPERAND_FUNCTION;
	if (format_is_function(o->text))
		return 0;
	p->at = begin;
	err_user(p->err, "format, character %zu: unknown function \"%s\"",
		 (size_t)(begin - p->text) + 1, o->text);
	return err_hint(p->err, "a member of the document begins with a dot: .%s", o->text);
}

static int take_base(struct parser *p, struct operand *o)
{
	switch (*p->at) {
	case '.':
		o->kind = OPERAND_DOT;
		if (!is_name_char(p->at[1]))
			p->at++;
		return 0;
	case '$':
		p->at++;
		o->kind = OPERAND_VARIABLE;
		o->text = take_name(p);
		return 0;
	case '"':
	case '`':
		o->kind = OPERAND_TEXT;
		return take_quoted(p, &o->text);
	case '(':
		return take_parentheses(p, o);
	default:
		if (isdigit((unsigned char)*p->at) || *p->at == '-' || *p->at == '+')
			return take_number(p, o);
		if (is_name_char(*p->at))
			return take_identifier(p, o);
		return wrong(p, *p->at ? "not understood" : "an action is not closed by \"}}\"");
	}
}

static int parse_operand(struct parser *p, struct operand **ret)
{
	struct operand *o = arena_alloc(p->arena, sizeof(*o));
	struct field **end = &o->fields;
	int r = take_base(p, o);

	while (r == 0 && *p->at == '.' && is_name_char(p->at[1])) {
		struct field *field = arena_alloc(p->arena, sizeof(*field));

		p->at++;
		field->name = take_name(p);
		*end = field;
		end = &field->next;
	}
	*ret = o;
	return r;
}

/* ---- pipes ------------------------------------------------------------------------------------------------------- */

static int parse_command(struct parser *p, struct command **ret)
{
	struct command *command = arena_alloc(p->arena, sizeof(*command));
	struct operand **end = &command->operands;
	int r;

	for (;;) {
		skip_blanks(p);
		if (!*p->at || *p->at == '|' || *p->at == ')' || is_end(p))
			break;
		r = parse_operand(p, end);
		if (r < 0)
			return r;
		end = &(*end)->next;
	}
	if (!command->operands)
		return wrong(p, "something is missing");
	*ret = command;
	return 0;
}

/* "$x :=", "$x =", "$i, $x :=". Return: 1 if there was one; 0, and nothing was taken */
static int take_declaration(struct parser *p, struct pipe *pipe)
{
	const char *begin = p->at;
	int n = 0;

	while (n < 2 && *p->at == '$') {
		p->at++;
		pipe->variables[n++] = take_name(p);
		skip_blanks(p);
		if (*p->at != ',')
			break;
		p->at++;
		skip_blanks(p);
	}
	if (n && (!strncmp(p->at, ":=", 2) || (*p->at == '=' && p->at[1] != '='))) {
		pipe->is_assignment = *p->at == '=';
		p->at += pipe->is_assignment ? 1 : 2;
		return 1;
	}
	pipe->variables[0] = pipe->variables[1] = NULL;
	p->at = begin;
	return 0;
}

static int parse_pipe(struct parser *p, bool may_declare, struct pipe **ret)
{
	struct pipe *pipe = arena_alloc(p->arena, sizeof(*pipe));
	struct command **end = &pipe->commands;
	int r;

	skip_blanks(p);
	if (may_declare)
		(void)take_declaration(p, pipe);
	for (;;) {
		r = parse_command(p, end);
		if (r < 0)
			return r;
		end = &(*end)->next;
		if (*p->at != '|')
			break;
		p->at++;
	}
	*ret = pipe;
	return 0;
}

/* ---- actions ----------------------------------------------------------------------------------------------------- */

/* "}}" or " -}}", which takes the blanks that follow. */
static int close_action(struct parser *p)
{
	skip_blanks(p);
	if (*p->at == '-' && !strncmp(p->at + 1, "}}", 2)) {
		p->at += 3;
		p->at += strspn(p->at, " \t\r\n");
		return 0;
	}
	if (strncmp(p->at, "}}", 2) != 0)
		return wrong(p, *p->at ? "not understood" : "an action is not closed by \"}}\"");
	p->at += 2;
	return 0;
}

/* Text up to the next action, without the blanks before "{{- ". */
static void take_text(struct parser *p, struct node ***end)
{
	const char *open = strstr(p->at, "{{");
	size_t len = open ? (size_t)(open - p->at) : strlen(p->at);
	const char *text = p->at;
	struct node *node;

	p->at += len;
	if (open && open[2] == '-' && isspace((unsigned char)open[3])) {
		while (len && isspace((unsigned char)text[len - 1]))
			len--;
	}
	if (!len)
		return;
	node = arena_alloc(p->arena, sizeof(*node));
	*node = (struct node){ .kind = NODE_TEXT, .text = text, .len = len };
	**end = node;
	*end = &node->next;
}

enum stop { STOP_TEXT_ENDS, STOP_END, STOP_ELSE };

static int parse_list(struct parser *p, struct node **ret, enum stop *ret_stop);

static int parse_branch(struct parser *p, struct node *node);

/* What follows "else": "}}", or another condition. */
static int parse_else(struct parser *p, struct node *node)
{
	enum stop stop;
	int r;

	if (node->kind != NODE_RANGE && (take_word(p, "if") || take_word(p, "with"))) {
		struct node *other = arena_alloc(p->arena, sizeof(*other));

		other->kind = p->at[-1] == 'f' ? NODE_IF : NODE_WITH;
		node->otherwise = other;
		return parse_branch(p, other);
	}
	r = close_action(p);
	if (r == 0)
		r = parse_list(p, &node->otherwise, &stop);
	if (r < 0)
		return r;
	return stop == STOP_END ? close_action(p) : wrong(p, "{{end}} is missing");
}

static int parse_branch(struct parser *p, struct node *node)
{
	enum stop stop;
	int r;

	if (++p->depth > FORMAT_DEPTH_MAX)
		return wrong(p, "too many actions in each other");
	r = parse_pipe(p, true, &node->pipe);
	if (r == 0)
		r = close_action(p);
	if (r == 0)
		r = parse_list(p, &node->body, &stop);
	if (r < 0)
		return r;
	if (stop == STOP_TEXT_ENDS)
		return wrong(p, "{{end}} is missing");
	r = stop == STOP_ELSE ? parse_else(p, node) : close_action(p);
	p->depth--;
	return r;
}

static int skip_comment(struct parser *p)
{
	const char *close = strstr(p->at, "*/");

	if (!close)
		return wrong(p, "a comment is not closed");
	p->at = close + 2;
	return close_action(p);
}

static int parse_action(struct parser *p, struct node *node)
{
	static const struct {
		const char *word;
		enum node_kind kind;
	} words[] = { { "if", NODE_IF }, { "with", NODE_WITH }, { "range", NODE_RANGE } };
	int r;

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (take_word(p, words[i].word)) {
			node->kind = words[i].kind;
			return parse_branch(p, node);
		}
	}
	if (take_word(p, "break") || take_word(p, "continue")) {
		node->kind = p->at[-1] == 'k' ? NODE_BREAK : NODE_CONTINUE;
		return close_action(p);
	}
	node->kind = NODE_PIPE;
	r = parse_pipe(p, true, &node->pipe);
	return r < 0 ? r : close_action(p);
}

static int parse_list(struct parser *p, struct node **ret, enum stop *ret_stop)
{
	struct node **end = ret;
	struct node *node;
	int r;

	for (;;) {
		take_text(p, &end);
		if (!*p->at) {
			*ret_stop = STOP_TEXT_ENDS;
			return 0;
		}
		p->at += 2;
		if (p->at[0] == '-' && isspace((unsigned char)p->at[1]))
			p->at++;
		skip_blanks(p);
		if (!strncmp(p->at, "/*", 2)) {
			r = skip_comment(p);
			if (r < 0)
				return r;
			continue;
		}
		if (take_word(p, "end") || take_word(p, "else")) {
			*ret_stop = p->at[-1] == 'd' ? STOP_END : STOP_ELSE;
			return 0;
		}
		node = arena_alloc(p->arena, sizeof(*node));
		r = parse_action(p, node);
		if (r < 0)
			return r;
		*end = node;
		end = &node->next;
	}
}

int format_parse(struct arena *arena, const char *text, const struct format **ret, struct err *err)
{
	struct parser p = { .arena = arena, .text = text, .at = text, .err = err };
	struct format *format = arena_alloc(arena, sizeof(*format));
	enum stop stop;
	int r = parse_list(&p, &format->nodes, &stop);

	if (r == 0 && stop != STOP_TEXT_ENDS)
		r = wrong(&p, "nothing to end here");
	if (r == 0)
		*ret = format;
	return r;
}
