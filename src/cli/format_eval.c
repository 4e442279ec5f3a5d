/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/near.h"
#include "cli/format_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct variable {
	struct variable *older;
	const char *name;
	struct value value;
};

enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE };

struct eval {
	struct arena *arena;
	struct format_text out;
	struct variable *variables; /* the last first */
	struct value root;
	enum flow flow;
	size_t steps;
	struct err *err;
};

/* ---- text -------------------------------------------------------------------------------------------------------- */

/* What would be too much is cut, and format_apply() refuses it. */
void format_add(struct format_text *out, const char *text, size_t len)
{
	if (out->len + len > FORMAT_OUTPUT_MAX)
		len = FORMAT_OUTPUT_MAX - out->len;
	if (out->len + len + 1 > out->size) {
		size_t size = 2 * (out->len + len) + 256;
		char *bigger = arena_alloc(out->arena, size);

		if (out->len)
			memcpy(bigger, out->text, out->len);
		out->text = bigger;
		out->size = size;
	}
	memcpy(out->text + out->len, text, len);
	out->len += len;
	out->text[out->len] = '\0';
}

void format_add_string(struct format_text *out, const char *text)
{
	format_add(out, text, strlen(text));
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

struct value format_value(const struct json *json)
{
	int64_t number;

	switch (json->type) {
	case JSON_NULL:
		return (struct value){ .type = VALUE_NIL };
	case JSON_BOOL:
		return (struct value){ .type = VALUE_BOOL, .boolean = json->boolean };
	case JSON_STRING:
		return (struct value){ .type = VALUE_TEXT, .text = json->text };
	case JSON_NUMBER:
		if (json_i64(json, &number) == 0)
			return (struct value){ .type = VALUE_NUMBER, .number = number };
		break;
	default:
		break;
	}
	return (struct value){ .type = VALUE_JSON, .json = json };
}

/* An array or an object. */
static bool is_container(const struct value *value)
{
	return value->type == VALUE_JSON && value->json->type != JSON_NUMBER;
}

size_t format_entries(const struct value *value)
{
	if (value->type == VALUE_LIST)
		return value->n;
	return is_container(value) ? value->json->len : 0;
}

struct value format_entry(const struct value *value, size_t i)
{
	return value->type == VALUE_LIST ? value->items[i]
					 : format_value(json_entry(value->json, i));
}

bool format_is_true(const struct value *value)
{
	switch (value->type) {
	case VALUE_MISSING:
	case VALUE_NIL:
		return false;
	case VALUE_BOOL:
		return value->boolean;
	case VALUE_NUMBER:
		return value->number != 0;
	case VALUE_TEXT:
		return *value->text != '\0';
	case VALUE_LIST:
		return value->n > 0;
	default: /* a number that is no integer is not 0 */
		return !is_container(value) || format_entries(value) > 0;
	}
}

/* Sorted by name, as Go prints maps. */
static int compare_keys(const void *a, const void *b)
{
	return strcmp((*(const struct json *const *)a)->key, (*(const struct json *const *)b)->key);
}

static const struct json **sorted(struct arena *arena, const struct json *object)
{
	const struct json **members = arena_array(arena, object->len + 1, sizeof(struct json *));
	const struct json *member;
	size_t n = 0;

	json_each(member, object)
		members[n++] = member;
	qsort(members, n, sizeof(struct json *), compare_keys);
	return members;
}

static void print_object(struct format_text *out, const struct json *object)
{
	const struct json **members = sorted(out->arena, object);

	format_add_string(out, "map[");
	for (size_t i = 0; i < object->len; i++) {
		struct value value = format_value(members[i]);

		format_add_string(out, i ? " " : "");
		format_add_string(out, members[i]->key);
		format_add_string(out, ":");
		format_print(out, &value);
	}
	format_add_string(out, "]");
}

static void print_list(struct format_text *out, const struct value *value)
{
	format_add_string(out, "[");
	for (size_t i = 0; i < format_entries(value); i++) {
		struct value entry = format_entry(value, i);

		format_add_string(out, i ? " " : "");
		format_print(out, &entry);
	}
	format_add_string(out, "]");
}

void format_print(struct format_text *out, const struct value *value)
{
	char number[24];

	switch (value->type) {
	case VALUE_MISSING:
		format_add_string(out, "<no value>");
		break;
	case VALUE_NIL:
		format_add_string(out, "<nil>");
		break;
	case VALUE_BOOL:
		format_add_string(out, value->boolean ? "true" : "false");
		break;
	case VALUE_NUMBER:
		snprintf(number, sizeof(number), "%" PRId64, value->number);
		format_add_string(out, number);
		break;
	case VALUE_TEXT:
		format_add_string(out, value->text);
		break;
	default:
		if (value->type == VALUE_JSON && value->json->type == JSON_NUMBER)
			format_add(out, value->json->text, value->json->len);
		else if (value->type == VALUE_JSON && value->json->type == JSON_OBJECT)
			print_object(out, value->json);
		else
			print_list(out, value);
	}
}

/* ---- operands ---------------------------------------------------------------------------------------------------- */

static int no_member(struct eval *e, const char *name, const struct json *object)
{
	const struct json *member;
	struct near near;

	err_user(e->err, "format: there is no \"%s\"", name);
	if (!object)
		return e->err->code;
	near_init(&near, name);
	json_each(member, object)
		near_offer(&near, member->key);
	return near.best ? err_hint(e->err, "did you mean .%s?", near.best) : e->err->code;
}

static int take_fields(struct eval *e, const struct field *field, struct value *value)
{
	for (; field; field = field->next) {
		const struct json *member;

		if (value->type == VALUE_MISSING || value->type == VALUE_NIL) {
			value->text = value->type == VALUE_MISSING ? value->text : field->name;
			value->type = VALUE_MISSING;
			return 0;
		}
		if (value->type != VALUE_JSON || value->json->type != JSON_OBJECT)
			return err_user(e->err,
					"format: \"%s\" is asked of something that has no members",
					field->name);
		member = json_member(value->json, field->name);
		*value = member ? format_value(member)
				: (struct value){ .type = VALUE_MISSING,
						  .text = field->name,
						  .json = value->json };
	}
	return 0;
}

static int take_variable(struct eval *e, const char *name, struct value *ret)
{
	if (!*name) {
		*ret = e->root;
		return 0;
	}
	for (struct variable *v = e->variables; v; v = v->older) {
		if (strcmp(v->name, name) == 0) {
			*ret = v->value;
			return 0;
		}
	}
	return err_user(e->err, "format: variable \"$%s\" is not set", name);
}

static int eval_pipe(struct eval *e, const struct pipe *pipe, const struct value *dot,
		     struct value *ret);

static int eval_operand(struct eval *e, const struct operand *o, const struct value *dot,
			struct value *ret)
{
	struct value value = { .type = VALUE_NIL };
	int r = 0;

	switch (o->kind) {
	case OPERAND_DOT:
		value = *dot;
		break;
	case OPERAND_VARIABLE:
		r = take_variable(e, o->text, &value);
		break;
	case OPERAND_TEXT:
		value = (struct value){ .type = VALUE_TEXT, .text = o->text };
		break;
	case OPERAND_NUMBER:
		value = (struct value){ .type = VALUE_NUMBER, .number = o->number };
		break;
	case OPERAND_TRUE:
	case OPERAND_FALSE:
		value = (struct value){ .type = VALUE_BOOL, .boolean = o->kind == OPERAND_TRUE };
		break;
	case OPERAND_NIL:
		break;
	case OPERAND_FUNCTION:
		r = format_call(e->arena, o->text, NULL, 0, &value, e->err);
		break;
	case OPERAND_PIPE:
		r = eval_pipe(e, o->pipe, dot, &value);
		break;
	}
	if (r == 0)
		r = take_fields(e, o->fields, &value);
	*ret = value;
	return r;
}

/* ---- pipes ------------------------------------------------------------------------------------------------------- */

/* @last: what the command before has made; NULL: there is none */
static int eval_command(struct eval *e, const struct command *command, const struct value *dot,
			const struct value *last, struct value *ret)
{
	const struct operand *first = command->operands;
	struct value *args;
	size_t n = 0, room = 1;

	if (first->kind != OPERAND_FUNCTION || first->fields) {
		if (first->next || last)
			return err_user(e->err, "format: what is no function has arguments");
		return eval_operand(e, first, dot, ret);
	}
	for (const struct operand *o = first->next; o; o = o->next)
		room++;
	args = arena_array(e->arena, room, sizeof(*args));
	for (const struct operand *o = first->next; o; o = o->next) {
		int r = eval_operand(e, o, dot, &args[n++]);

		if (r < 0)
			return r;
	}
	if (last)
		args[n++] = *last;
	return format_call(e->arena, first->text, args, n, ret, e->err);
}

static void declare(struct eval *e, const char *name, struct value value)
{
	struct variable *v = arena_alloc(e->arena, sizeof(*v));

	*v = (struct variable){ e->variables, name, value };
	e->variables = v;
}

static int set_variable(struct eval *e, const struct pipe *pipe, struct value value)
{
	if (!pipe->is_assignment) {
		declare(e, pipe->variables[0], value);
		return 0;
	}
	for (struct variable *v = e->variables; v; v = v->older) {
		if (strcmp(v->name, pipe->variables[0]) == 0) {
			v->value = value;
			return 0;
		}
	}
	return err_user(e->err, "format: variable \"$%s\" is not set", pipe->variables[0]);
}

static int eval_pipe(struct eval *e, const struct pipe *pipe, const struct value *dot,
		     struct value *ret)
{
	struct value value = { .type = VALUE_NIL };
	const struct value *last = NULL;
	struct value before;

	for (const struct command *c = pipe->commands; c; c = c->next) {
		int r = eval_command(e, c, dot, last, &value);

		if (r < 0)
			return r;
		before = value;
		last = &before;
	}
	*ret = value;
	return 0;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

static int run_nodes(struct eval *e, const struct node *node, const struct value *dot);

/* Variables end with what they were declared in. */
static int run_scope(struct eval *e, const struct node *nodes, const struct value *dot)
{
	struct variable *before = e->variables;
	int r = run_nodes(e, nodes, dot);

	e->variables = before;
	return r;
}

static int run_branch(struct eval *e, const struct node *node, const struct value *dot)
{
	struct variable *before = e->variables;
	struct value value;
	int r = eval_pipe(e, node->pipe, dot, &value);

	if (r == 0 && node->pipe->variables[0])
		r = set_variable(e, node->pipe, value);
	if (r == 0 && format_is_true(&value))
		r = run_scope(e, node->body, node->kind == NODE_WITH ? &value : dot);
	else if (r == 0)
		r = run_scope(e, node->otherwise, dot);
	e->variables = before;
	return r;
}

static int run_round(struct eval *e, const struct node *node, struct value key, struct value value)
{
	const char *const *names = node->pipe->variables;
	struct variable *before = e->variables;
	int r;

	if (names[0] && names[1]) {
		declare(e, names[0], key);
		declare(e, names[1], value);
	} else if (names[0]) {
		declare(e, names[0], value);
	}
	r = run_nodes(e, node->body, &value);
	e->variables = before;
	return r;
}

static int range_object(struct eval *e, const struct node *node, const struct json *object)
{
	const struct json **members = sorted(e->arena, object);
	int r = 0;

	for (size_t i = 0; r == 0 && i < object->len && e->flow != FLOW_BREAK; i++) {
		struct value key = { .type = VALUE_TEXT, .text = members[i]->key };

		e->flow = FLOW_ON;
		r = run_round(e, node, key, format_value(members[i]));
	}
	return r;
}

static int range_list(struct eval *e, const struct node *node, const struct value *list)
{
	const struct json *item = list->type == VALUE_JSON ? list->json->first : NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < format_entries(list) && e->flow != FLOW_BREAK; i++) {
		struct value key = { .type = VALUE_NUMBER, .number = (int64_t)i };

		e->flow = FLOW_ON;
		r = run_round(e, node, key, item ? format_value(item) : list->items[i]);
		item = item ? item->next : NULL;
	}
	return r;
}

static int run_range(struct eval *e, const struct node *node, const struct value *dot)
{
	struct value whole;
	int r = eval_pipe(e, node->pipe, dot, &whole);

	if (r < 0)
		return r;
	if (!format_entries(&whole)) {
		if (format_is_true(&whole))
			return err_user(e->err, "format: range over something that is no list");
		return run_scope(e, node->otherwise, dot);
	}
	if (whole.type == VALUE_JSON && whole.json->type == JSON_OBJECT)
		r = range_object(e, node, whole.json);
	else
		r = range_list(e, node, &whole);
	e->flow = FLOW_ON;
	return r;
}

static int run_pipe(struct eval *e, const struct node *node, const struct value *dot)
{
	struct value value;
	int r = eval_pipe(e, node->pipe, dot, &value);

	if (r < 0)
		return r;
	if (node->pipe->variables[0])
		return set_variable(e, node->pipe, value);
	if (value.type == VALUE_MISSING)
		return no_member(e, value.text, value.json);
	format_print(&e->out, &value);
	return 0;
}

static int run_node(struct eval *e, const struct node *node, const struct value *dot)
{
	switch (node->kind) {
	case NODE_TEXT:
		format_add(&e->out, node->text, node->len);
		return 0;
	case NODE_PIPE:
		return run_pipe(e, node, dot);
	case NODE_RANGE:
		return run_range(e, node, dot);
	case NODE_BREAK:
	case NODE_CONTINUE:
		e->flow = node->kind == NODE_BREAK ? FLOW_BREAK : FLOW_CONTINUE;
		return 0;
	default:
		return run_branch(e, node, dot);
	}
}

static int run_nodes(struct eval *e, const struct node *node, const struct value *dot)
{
	int r = 0;

	for (; r == 0 && node && e->flow == FLOW_ON; node = node->next) {
		if (++e->steps > FORMAT_STEPS_MAX)
			return err_user(e->err, "format: it takes more than %d steps",
					FORMAT_STEPS_MAX);
		r = run_node(e, node, dot);
		if (r == 0 && e->out.len == FORMAT_OUTPUT_MAX)
			return err_user(e->err, "format: it makes more than %zu bytes",
					FORMAT_OUTPUT_MAX);
	}
	return r;
}

int format_apply(const struct format *format, struct arena *arena, const struct json *data,
		 char **ret, size_t *ret_len, struct err *err)
{
	struct eval e = {
		.arena = arena, .out.arena = arena, .root = format_value(data), .err = err
	};
	int r;

	format_add_string(&e.out, "");
	r = run_nodes(&e, format->nodes, &e.root);
	if (r < 0)
		return r;
	*ret = e.out.text;
	*ret_len = e.out.len;
	return 0;
}
