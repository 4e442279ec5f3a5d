/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables as they arrive on standard output. */
#include "cli/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const headings[] = { "NAME", "SIZE", NULL };

static const char *printed(const struct table *table)
{
	static char text[4096];
	int own = dup(STDOUT_FILENO), file = memfd_create("table", MFD_CLOEXEC);
	ssize_t n;

	fflush(stdout);
	assert_true(own >= 0 && file >= 0 && dup2(file, STDOUT_FILENO) >= 0);
	table_print(table);
	fflush(stdout);
	n = pread(file, text, sizeof(text) - 1, 0);
	assert_true(dup2(own, STDOUT_FILENO) >= 0 && n >= 0);
	close(own);
	close(file);
	text[n] = '\0';
	return text;
}

static void test_columns_are_as_wide_as_their_widest(void **state)
{
	struct arena arena = { 0 };
	struct table table;

	table_init(&table, &arena, headings);
	table_add(&table, (const char *const[]){ "a-long-name", "1B" });
	table_add(&table, (const char *const[]){ "b", "22.5GB" });
	assert_string_equal(printed(&table), "NAME          SIZE\n"
					     "a-long-name   1B\n"
					     "b             22.5GB\n");
	arena_clear(&arena);
}

static void test_headings_stand_alone(void **state)
{
	struct arena arena = { 0 };
	struct table table;

	table_init(&table, &arena, headings);
	assert_string_equal(printed(&table), "NAME   SIZE\n");
	arena_clear(&arena);
}

static void test_texts_are_copied_and_cannot_write_to_a_terminal(void **state)
{
	struct arena arena = { 0 };
	struct table table;
	char name[] = "evil\x1b[2J\nname";

	table_init(&table, &arena, headings);
	table_add(&table, (const char *const[]){ name, "" });
	memset(name, 'x', sizeof(name) - 1);
	assert_non_null(strstr(printed(&table), "evil\\x1b[2J\\nname"));
	assert_null(strchr(printed(&table), '\x1b'));
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns_are_as_wide_as_their_widest),
		cmocka_unit_test(test_headings_stand_alone),
		cmocka_unit_test(test_texts_are_copied_and_cannot_write_to_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
