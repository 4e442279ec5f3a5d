/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/table.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

#define GAP 3

struct table_row {
	struct table_row *next;
	const char *cells[TABLE_COLUMNS_MAX];
};

/* How many places a terminal gives to it: characters, not bytes. */
static int places(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

void table_add(struct table *table, const char *const *cells)
{
	struct table_row *row = arena_alloc(table->arena, sizeof(*row));

	for (size_t i = 0; i < table->columns; i++) {
		size_t size = 4 * strlen(cells[i]) + 1;
		char *cell = arena_alloc(table->arena, size);

		utf8_printable(cells[i], cell, size);
		row->cells[i] = cell;
		if (places(cell) > table->width[i])
			table->width[i] = places(cell);
	}
	if (table->last)
		table->last->next = row;
	else
		table->rows = row;
	table->last = row;
}

void table_init(struct table *table, struct arena *arena, const char *const *headings)
{
	*table = (struct table){ .arena = arena };
	while (headings[table->columns])
		table->columns++;
	table_add(table, headings);
}

void table_print(const struct table *table)
{
	for (const struct table_row *row = table->rows; row; row = row->next) {
		for (size_t i = 0; i + 1 < table->columns; i++)
			printf("%s%*s", row->cells[i],
			       table->width[i] - places(row->cells[i]) + GAP, "");
		printf("%s\n", row->cells[table->columns - 1]);
	}
}
