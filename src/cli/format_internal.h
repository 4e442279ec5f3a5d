/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What format_parse.c makes of a template and format_eval.c does with it; format_functions.c has the functions. */
#ifndef TARE_CLI_FORMAT_INTERNAL_H
#define TARE_CLI_FORMAT_INTERNAL_H

#include "cli/format.h"

#include <stdbool.h>

/* ---- the template ----------------------------------------------------------------------------------------------- */

enum operand_kind {
	OPERAND_DOT,
	OPERAND_VARIABLE, /* text: its name without "$"; "": the document */
	OPERAND_TEXT,
	OPERAND_NUMBER,
	OPERAND_TRUE,
	OPERAND_FALSE,
	OPERAND_NIL,
	OPERAND_FUNCTION, /* text: its name */
	OPERAND_PIPE,     /* in parentheses */
};

struct field {
	struct field *next;
	const char *name;
};

struct operand {
	struct operand *next;
	enum operand_kind kind;
	const char *text;
	int64_t number;
	struct pipe *pipe;
	struct field *fields; /* that follow it: .A.B */
};

struct command {
	struct command *next; /* gets what this one makes as its last argument */
	struct operand *operands;
};

struct pipe {
	const char *variables[2]; /* that are declared or set; NULL: none */
	bool is_assignment;       /* "=" and not ":=" */
	struct command *commands;
};

enum node_kind { NODE_TEXT, NODE_PIPE, NODE_IF, NODE_WITH, NODE_RANGE, NODE_BREAK, NODE_CONTINUE };

struct node {
	struct node *next;
	enum node_kind kind;
	const char *text; /* of NODE_TEXT, @len bytes */
	size_t len;
	struct pipe *pipe;
	struct node *body, *otherwise;
};

struct format {
	struct node *nodes;
};

/* ---- values ----------------------------------------------------------------------------------------------------- */

enum value_type {
	VALUE_MISSING, /* text: the name of the member that is not there */
	VALUE_NIL,
	VALUE_BOOL,
	VALUE_NUMBER,
	VALUE_TEXT,
	VALUE_JSON, /* an array, an object, a number that is no integer */
	VALUE_LIST, /* that a function has made */
};

struct value {
	enum value_type type;
	bool boolean;
	int64_t number;
	const char *text;
	const struct json *json;
	struct value *items;
	size_t n;
};

/* Text that grows. */
struct format_text {
	struct arena *arena;
	char *text;
	size_t len, size;
};

void format_add(struct format_text *out, const char *text, size_t len);
void format_add_string(struct format_text *out, const char *text);

/* format_print() - as Go's fmt.Print does: [a b], map[a:b] */
void format_print(struct format_text *out, const struct value *value);

struct value format_value(const struct json *json);
bool format_is_true(const struct value *value);

/* format_entries() - of an array, an object or a list; 0 for anything else */
size_t format_entries(const struct value *value);
struct value format_entry(const struct value *value, size_t i);

/* format_call() - a function by its name. Return: 0; -EINVAL */
int format_call(struct arena *arena, const char *name, const struct value *args, size_t n,
		struct value *ret, struct err *err) MUST_CHECK;

/* format_is_function() - is there one of that name */
bool format_is_function(const char *name);

#endif
