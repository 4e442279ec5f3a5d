/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UTF-8 as RFC 3629 has it, and text that is safe to show. */
#include "base/utf8.h"

#include "base/defer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *text;
	size_t len;
} characters[] = {
	{ "a", 1 },
	{ "\x7f", 1 },
	{ "\xc2\x80", 2 },
	{ "\xdf\xbf", 2 },
	{ "\xe0\xa0\x80", 3 },
	{ "\xed\x9f\xbf", 3 },
	{ "\xee\x80\x80", 3 },
	{ "\xf0\x90\x80\x80", 4 },
	{ "\xf4\x8f\xbf\xbf", 4 },
	/* overlong, surrogate, above U+10FFFF, cut off, a lone continuation, never legal */
	{ "\xc0\x80", 0 },
	{ "\xc1\xbf", 0 },
	{ "\xe0\x9f\xbf", 0 },
	{ "\xf0\x8f\xbf\xbf", 0 },
	{ "\xed\xa0\x80", 0 },
	{ "\xf4\x90\x80\x80", 0 },
	{ "\xf5\x80\x80\x80", 0 },
	{ "\xe2\x82", 0 },
	{ "\xe2\x28\xa1", 0 },
	{ "\xe2\x82\x28", 0 },
	{ "\x80", 0 },
	{ "\xff", 0 },
};

static void test_decode(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(characters); i++)
		assert_int_equal(utf8_decode(characters[i].text, strlen(characters[i].text)),
				 characters[i].len);
	assert_int_equal(utf8_decode("\0", 1), 1);
}

static const struct {
	const char *text, *shown;
} printable[] = {
	{ "", "" },
	{ "plain \xe2\x82\xac \\ \"", "plain \xe2\x82\xac \\ \"" },
	{ "a\nb\tc\x1b[2J\x7f", "a\\nb\\tc\\x1b[2J\\x7f" },
	{ "\xc2\x9b"
	  "2J",
	  "\\xc2\\x9b"
	  "2J" },
	{ "x\xffy\xe2\x82", "x\\xffy\\xe2\\x82" },
	{ "0123456789012345678901234567890", "0123456789012345678901234567890" },
	{ "01234567890123456789012345678901", "0123456789012345678901234567890" },
	{ "012345678901234567890123456789\xe2\x82\xac", "012345678901234567890123456789" },
	{ "0123456789012345678901234567\n", "0123456789012345678901234567\\n" },
	{ "012345678901234567890123456789\n", "012345678901234567890123456789" },
};

static void test_printable(void **state)
{
	char buf[32];

	for (size_t i = 0; i < ARRAY_LEN(printable); i++) {
		utf8_printable(printable[i].text, buf, sizeof(buf));
		assert_string_equal(buf, printable[i].shown);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_printable),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
