/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/format_print.h"

#include "base/json_write.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

#define TABLE "table "

static char *unescape(struct arena *arena, const char *text)
{
	char *out = arena_strdup(arena, text), *to = out;

	for (; *text; text++) {
		if (text[0] == '\\' && (text[1] == 't' || text[1] == 'n'))
			*to++ = *++text == 't' ? '\t' : '\n';
		else
			*to++ = *text;
	}
	*to = '\0';
	return out;
}

/* Tabs and new lines are the template's; everything else that a terminal would obey is shown. */
static void print_shown(struct arena *arena, char *text)
{
	for (;;) {
		size_t len = strcspn(text, "\t\n"), size = 4 * len + 1;
		char *shown = arena_alloc(arena, size), end = text[len];

		text[len] = '\0';
		utf8_printable(text, shown, size);
		fputs(shown, stdout);
		if (!end)
			return;
		putchar(end);
		text += len + 1;
	}
}

/* Its columns; what is beyond the last stays in it. */
static void split(char *text, size_t columns, const char **cells)
{
	for (size_t i = 0; i < columns; i++) {
		char *tab = i + 1 < columns ? strchr(text, '\t') : NULL;

		cells[i] = text;
		if (tab)
			*tab = '\0';
		text = tab ? tab + 1 : text + strlen(text);
	}
}

static int begin_table(struct output_form *form, const char *headings, struct err *err)
{
	const char *cells[TABLE_COLUMNS_MAX + 1] = { NULL };
	const struct json *root;
	size_t columns = 1, len;
	char *text;
	int r = json_parse(form->arena, headings, strlen(headings), &root, err);

	if (r == 0)
		r = format_apply(form->format, form->arena, root, &text, &len, err);
	if (r < 0)
		return r;
	for (const char *at = text; (at = strchr(at, '\t')); at++)
		columns++;
	if (columns > TABLE_COLUMNS_MAX)
		return err_user(err, "format: more than %d columns", TABLE_COLUMNS_MAX);
	split(text, columns, cells);
	table_init(&form->table, form->arena, cells);
	return 0;
}

int output_form_read(struct arena *arena, const char *text, const char *headings,
		     struct output_form *ret, struct err *err)
{
	int r;

	*ret = (struct output_form){ .arena = arena };
	ret->is_json = strcmp(text, "json") == 0;
	if (ret->is_json)
		return 0;
	/* Without an action it would say the same of everything. */
	if (!strstr(text, "{{")) {
		err_user(err, "unknown format \"%s\"", text);
		return err_hint(err, "it is json, a template like {{.ID}}%s",
				headings ? ", table, or \"table \" and a template" : "");
	}
	ret->is_table = headings && !strncmp(text, TABLE, strlen(TABLE));
	if (ret->is_table)
		text += strlen(TABLE);
	r = format_parse(arena, unescape(arena, text), &ret->format, err);
	return r == 0 && ret->is_table ? begin_table(ret, headings, err) : r;
}

int output_form_add(struct output_form *form, const struct json *data, struct err *err)
{
	const char *cells[TABLE_COLUMNS_MAX];
	struct json_writer w;
	char *text;
	size_t len;
	int r;

	if (form->is_json) {
		json_writer_init(&w, form->arena, 0);
		json_add_value(&w, NULL, data);
		printf("%s\n", json_writer_text(&w, NULL));
		return 0;
	}
	r = format_apply(form->format, form->arena, data, &text, &len, err);
	if (r < 0)
		return r;
	if (form->is_table) {
		split(text, form->table.columns, cells);
		table_add(&form->table, cells);
		return 0;
	}
	print_shown(form->arena, text);
	putchar('\n');
	return 0;
}

void output_form_end(struct output_form *form)
{
	if (form->is_table)
		table_print(&form->table);
}

int output_form_print(struct arena *arena, const char *text, const struct json *data,
		      struct err *err)
{
	struct output_form form;
	int r = output_form_read(arena, text, NULL, &form, err);

	if (r == 0)
		r = output_form_add(&form, data, err);
	if (r == 0)
		output_form_end(&form);
	return r;
}
