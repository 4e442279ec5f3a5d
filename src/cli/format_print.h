/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a command does with its --format: json, a template (format.h) for each thing that it shows, or "table " and a template whose
 * tabs are between columns.
 */
#ifndef TARE_CLI_FORMAT_PRINT_H
#define TARE_CLI_FORMAT_PRINT_H

#include "cli/format.h"
#include "cli/table.h"

#include <stdbool.h>

struct output_form {
	struct arena *arena;
	bool is_json, is_table;
	const struct format *format; /* NULL: it is json */
	struct table table;
};

/*
 * output_form_read() - what --format says
 * @text:     as given; \t and \n are a tab and a new line, since shells hand them over like that
 * @headings: of a table's columns: an object that has one for each member, {"ID":"IMAGE ID"}; NULL: no tables
 */
int output_form_read(struct arena *arena, const char *text, const char *headings,
		     struct output_form *ret, struct err *err) MUST_CHECK;

/* output_form_add() - one thing: a line of its own, at once or, of a table, at the end. Control characters are escaped */
int output_form_add(struct output_form *form, const struct json *data, struct err *err) MUST_CHECK;

/* output_form_print() - all of it for a command that shows one thing. @text: --format, without tables */
int output_form_print(struct arena *arena, const char *text, const struct json *data,
		      struct err *err) MUST_CHECK;

/* output_form_end() - that was all of them */
void output_form_end(struct output_form *form);

#endif
