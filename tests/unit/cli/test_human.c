/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes and ages as docker shows them. */
#include "cli/human.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct arena arena;

static void test_sizes_have_three_digits(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0B" },
		{ 999, "999B" },
		{ 1000, "1kB" },
		{ 1270000000, "1.27GB" },
		{ 999499, "999kB" },
		{ 999500, "1MB" }, /* not 1000kB, and not 1e+03kB */
		{ 12345678, "12.3MB" },
		{ UINT64_MAX, "18.4EB" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(human_size(&arena, cases[i].bytes), cases[i].text);
}

static void test_durations_change_their_unit(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
		{ -5, "Less than a second" },
		{ 0, "Less than a second" },
		{ 1, "1 second" },
		{ 59, "59 seconds" },
		{ 60, "About a minute" },
		{ 119, "About a minute" },
		{ 120, "2 minutes" },
		{ 3600, "About an hour" },
		{ 47 * 3600, "47 hours" },
		{ 48 * 3600, "2 days" },
		{ 14 * 86400, "2 weeks" },
		{ 63 * 86400, "2 months" },
		{ 730 * 86400, "2 years" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(human_duration(&arena, cases[i].seconds), cases[i].text);
}

static void test_ages_know_time_zones_and_fractions(void **state)
{
	const time_t now = 1767323045; /* 2026-01-02T03:04:05Z */

	assert_string_equal(human_age(&arena, "2026-01-02T03:04:03Z", now), "2 seconds ago");
	assert_string_equal(human_age(&arena, "2026-01-02T03:04:03.999999999Z", now),
			    "2 seconds ago");
	assert_string_equal(human_age(&arena, "2026-01-02T05:34:03+02:30", now), "2 seconds ago");
	assert_string_equal(human_age(&arena, "2026-01-01T22:04:03.5-05:00", now), "2 seconds ago");
	assert_string_equal(human_age(&arena, "2030-01-01T00:00:00Z", now),
			    "Less than a second ago");
}

static void test_what_is_no_time_has_no_age(void **state)
{
	assert_string_equal(human_age(&arena, NULL, 0), "N/A");
	assert_string_equal(human_age(&arena, "", 0), "N/A");
	assert_string_equal(human_age(&arena, "yesterday", 0), "N/A");
	assert_string_equal(human_age(&arena, "2026-13-02T03:04:05Z", 0), "N/A");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes_have_three_digits),
		cmocka_unit_test(test_durations_change_their_unit),
		cmocka_unit_test(test_ages_know_time_zones_and_fractions),
		cmocka_unit_test(test_what_is_no_time_has_no_age),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	arena_clear(&arena);
	return failed;
}
