/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists on standard output: columns as wide as their widest entry, so that nothing is cut. What stands in them may come from
 * an image or a registry, so it is shown by a terminal and not obeyed.
 */
#ifndef TARE_CLI_TABLE_H
#define TARE_CLI_TABLE_H

#include "base/arena.h"

#include <stddef.h>

#define TABLE_COLUMNS_MAX 12

struct table {
	struct arena *arena; /* borrowed */
	size_t columns;
	struct table_row *rows, *last; /* the headings are the first */
	int width[TABLE_COLUMNS_MAX];
};

/* table_init() - @headings: NULL at the end */
void table_init(struct table *table, struct arena *arena, const char *const *headings);

/* table_add() - a row: as many texts as there are headings; they are copied */
void table_add(struct table *table, const char *const *cells);

void table_print(const struct table *table);

#endif
