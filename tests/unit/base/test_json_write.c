/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "base/json.h"
#include "base/json_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_compact(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct json_writer w;
	size_t len;

	json_writer_init(&w, &arena, 0);
	json_object_begin(&w, NULL);
	json_add_string(&w, "id", "web");
	json_array_begin(&w, "list");
	json_add_u64(&w, NULL, UINT64_MAX);
	json_add_i64(&w, NULL, INT64_MIN);
	json_array_end(&w);
	json_object_begin(&w, "empty");
	json_object_end(&w);
	json_add_bool(&w, "yes", true);
	json_add_string(&w, "none", NULL);
	json_object_end(&w);
	assert_string_equal(json_writer_text(&w, &len),
			    "{\"id\":\"web\",\"list\":[18446744073709551615,"
			    "-9223372036854775808],\"empty\":{},\"yes\":true,"
			    "\"none\":null}");
	assert_int_equal(len, strlen(json_writer_text(&w, NULL)));
}

static void test_indented(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct json_writer w;

	json_writer_init(&w, &arena, 2);
	json_object_begin(&w, NULL);
	json_array_begin(&w, "a");
	json_add_bool(&w, NULL, false);
	json_array_end(&w);
	json_array_begin(&w, "b");
	json_array_end(&w);
	json_object_end(&w);
	assert_string_equal(json_writer_text(&w, NULL),
			    "{\n  \"a\": [\n    false\n  ],\n  \"b\": []\n}");
}

static void test_strings_survive_our_own_parser(void **state)
{
	static const char hostile[] = "q\" b\\ \n \t \x01 \x1b[31m \x7f \xc3\xa4 \xf0\x9f\x90\xb3";
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;
	const struct json *root;
	struct json_writer w;
	size_t len;
	char *text;

	json_writer_init(&w, &arena, 0);
	json_object_begin(&w, NULL);
	json_add_string(&w, hostile, hostile);
	json_object_end(&w);
	text = json_writer_text(&w, &len);
	/* What goes to a terminal or a log can't steer it. */
	assert_null(strchr(text, 0x1b));
	assert_null(strchr(text, 0x7f));
	assert_int_equal(json_parse(&arena, text, len, &root, &err), 0);
	assert_string_equal(json_string(json_member(root, hostile)), hostile);
}

static void test_invalid_utf8_becomes_the_replacement_character(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct json_writer w;

	json_writer_init(&w, &arena, 0);
	json_add_string(&w, NULL, "a\xff\xc3");
	assert_string_equal(json_writer_text(&w, NULL), "\"a\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void test_what_needs_no_escape_stands_around_what_does(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct json_writer w;

	json_writer_init(&w, &arena, 0);
	json_add_string(&w, NULL,
			"\"ab\xc3\xbc\ncd\xff\xc3\xbc"
			"ef\\");
	assert_string_equal(json_writer_text(&w, NULL), "\"\\\"ab\xc3\xbc\\ncd\xef\xbf\xbd\xc3\xbc"
							"ef\\\\\"");
}

static void test_deep_levels_are_indented(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct json_writer w;
	char *text;

	json_writer_init(&w, &arena, 2);
	for (int i = 0; i < 20; i++)
		json_array_begin(&w, NULL);
	json_add_null(&w, NULL);
	for (int i = 0; i < 20; i++)
		json_array_end(&w);
	text = strstr(json_writer_text(&w, NULL),
		      "\n                                        null\n");
	assert_non_null(text);
	assert_memory_equal(strchr(text + 1, '\n'), "\n                                      ]\n",
			    41);
}

static void test_a_long_text_grows(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct json_writer w;
	size_t len;

	json_writer_init(&w, &arena, 0);
	json_array_begin(&w, NULL);
	for (int i = 0; i < 100000; i++)
		json_add_u64(&w, NULL, 7);
	json_array_end(&w);
	json_writer_text(&w, &len);
	assert_int_equal(len, 2 * 100000 + 1);
}

static void test_rfc3339(void **state)
{
	struct timespec ts = { .tv_sec = 1769846709, .tv_nsec = 12345678 };
	char buf[TIME_RFC3339_MAX];

	assert_string_equal(time_rfc3339(&ts, buf), "2026-01-31T08:05:09.012345678Z");
}

/* The C library knows the calendar too. */
static void test_rfc3339_agrees_with_gmtime(void **state)
{
	char ours[TIME_RFC3339_MAX], theirs[TIME_RFC3339_MAX];

	for (int64_t secs = 0; secs < 253402300800; secs += 86400 * 97 + 12345) {
		struct timespec ts = { .tv_sec = secs };
		struct tm tm;

		gmtime_r(&ts.tv_sec, &tm);
		strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%S.000000000Z", &tm);
		assert_string_equal(time_rfc3339(&ts, ours), theirs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compact),
		cmocka_unit_test(test_indented),
		cmocka_unit_test(test_strings_survive_our_own_parser),
		cmocka_unit_test(test_invalid_utf8_becomes_the_replacement_character),
		cmocka_unit_test(test_what_needs_no_escape_stands_around_what_does),
		cmocka_unit_test(test_deep_levels_are_indented),
		cmocka_unit_test(test_a_long_text_grows),
		cmocka_unit_test(test_rfc3339),
		cmocka_unit_test(test_rfc3339_agrees_with_gmtime),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
