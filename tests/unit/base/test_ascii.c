/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words without regard to case: letters of ASCII alone. */
#include "base/ascii.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_same(void **state)
{
	assert_true(ascii_same("", ""));
	assert_true(ascii_same("SigKill", "sIGkILL"));
	assert_false(ascii_same("kill", "kil"));
	assert_false(ascii_same("kil", "kill"));
	/* Their neighbours in the table differ by the same bit, and are no letters. */
	assert_false(ascii_same("@", "`"));
	assert_false(ascii_same("[", "{"));
	assert_false(ascii_same("\xc4", "\xe4"));
}

static void test_begins(void **state)
{
	assert_true(ascii_begins("cap_kill", "CAP_", 4));
	assert_true(ascii_begins("cap", "CAP_", 3));
	assert_true(ascii_begins("", "CAP_", 0));
	assert_false(ascii_begins("cap", "CAP_", 4));
	assert_false(ascii_begins("", "CAP_", 1));
}

static void test_contains(void **state)
{
	assert_true(ascii_contains("maskedPaths", "PATHS"));
	assert_true(ascii_contains("aAb", "ab"));
	assert_true(ascii_contains("any", ""));
	assert_true(ascii_contains("", ""));
	assert_false(ascii_contains("", "a"));
	assert_false(ascii_contains("path", "paths"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_begins),
		cmocka_unit_test(test_contains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
