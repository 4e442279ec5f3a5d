/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON as it is read: what comes out, what is refused, and where the complaint points. */
#include "base/json.h"

#include "base/num.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct json *parse(struct arena *arena, const char *text)
{
	const struct json *root = NULL;
	struct err err;

	if (json_parse(arena, text, strlen(text), &root, &err) < 0)
		fail_msg("refused: %s", err.text);
	return root;
}

static void test_tree(void **state)
{
	struct arena arena = { 0 };
	const struct json *root = parse(&arena, " {\"a\": [1, \"x\", true, null],\n\t\"b\": {}} "),
			  *a, *b;

	assert_int_equal(root->type, JSON_OBJECT);
	assert_int_equal(root->len, 2);
	assert_int_equal(root->offset, 1);
	assert_null(root->parent);

	a = json_member(root, "a");
	assert_int_equal(a->type, JSON_ARRAY);
	assert_int_equal(a->len, 4);
	assert_string_equal(a->key, "a");
	assert_int_equal(json_entry(a, 0)->type, JSON_NUMBER);
	assert_string_equal(json_string(json_entry(a, 1)), "x");
	assert_int_equal(json_entry(a, 1)->offset, 11);
	assert_int_equal(json_entry(a, 2)->type, JSON_BOOL);
	assert_true(json_entry(a, 2)->boolean);
	assert_int_equal(json_entry(a, 3)->type, JSON_NULL);
	assert_null(json_entry(a, 4));

	b = json_member(root, "b");
	assert_int_equal(b->type, JSON_OBJECT);
	assert_int_equal(b->index, 1);
	assert_null(b->first);
	assert_null(json_member(root, "c"));
	assert_null(json_member(a, "c"));
	assert_null(json_member(NULL, "c"));
	assert_null(json_string(a));
	assert_null(json_string(NULL));
	arena_clear(&arena);
}

static void test_text_is_borrowed_and_needs_no_nul(void **state)
{
	struct arena arena = { 0 };
	char text[] = "[\"abc\",\"d\\u00e9f\"]garbage";
	const struct json *root;
	struct err err;

	assert_int_equal(json_parse(&arena, text, strlen(text) - strlen("garbage"), &root, &err),
			 0);
	memset(text, 'x', sizeof(text));
	assert_string_equal(json_string(json_entry(root, 0)), "abc");
	assert_string_equal(json_string(json_entry(root, 1)), "d\xc3\xa9"
							      "f");
	arena_clear(&arena);
}

static void test_escapes(void **state)
{
	struct arena arena = { 0 };
	const struct json *root = parse(
		&arena, "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u20ac\\ud83d\\ude00\", {\"k\\u0065y\":1}]");

	assert_string_equal(json_string(json_entry(root, 0)),
			    "\"\\/\b\f\n\r\t\xe2\x82\xac\xf0\x9f\x98\x80");
	assert_non_null(json_member(json_entry(root, 1), "key"));
	arena_clear(&arena);
}

static void test_integers_are_exact(void **state)
{
	struct arena arena = { 0 };
	const struct json *root =
		parse(&arena, "[18446744073709551615, 18446744073709551616, -9223372036854775808,"
			      " -9223372036854775809, 9223372036854775807, 1.0, 1e3, -0, \"1\"]");
	uint64_t u = 0;
	int64_t i = 0;

	assert_int_equal(json_u64(json_entry(root, 0), &u), 0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(json_i64(json_entry(root, 0), &i), -ERANGE);
	assert_int_equal(json_u64(json_entry(root, 1), &u), -ERANGE);
	assert_int_equal(json_i64(json_entry(root, 2), &i), 0);
	assert_true(i == INT64_MIN);
	assert_int_equal(json_u64(json_entry(root, 2), &u), -ERANGE);
	assert_int_equal(json_i64(json_entry(root, 3), &i), -ERANGE);
	assert_int_equal(json_i64(json_entry(root, 4), &i), 0);
	assert_true(i == INT64_MAX);
	assert_int_equal(json_i64(json_entry(root, 5), &i), -EINVAL);
	assert_int_equal(json_u64(json_entry(root, 6), &u), -EINVAL);
	assert_int_equal(json_i64(json_entry(root, 7), &i), 0);
	assert_int_equal(i, 0);
	assert_int_equal(json_u64(json_entry(root, 8), &u), -EINVAL);
	assert_int_equal(json_u64(NULL, &u), -EINVAL);
	arena_clear(&arena);
}

static void test_pointer(void **state)
{
	struct arena arena = { 0 };
	const struct json *root = parse(&arena, "{\"a/b\":[0,{\"~c\":[1]}]}");
	const struct json *deep =
		json_entry(json_member(json_entry(json_member(root, "a/b"), 1), "~c"), 0);
	char small[8];

	assert_string_equal(json_pointer(&arena, deep), "/a~1b/1/~0c/0");
	assert_string_equal(json_pointer(&arena, root), "");
	json_pointer_text(deep, small, sizeof(small));
	assert_string_equal(small, "/~0c/0");
	arena_clear(&arena);
}

static const struct {
	const char *text, *message, *pointer;
	uint32_t line;
} refused[] = {
	{ "", "parse JSON at line 1, column 1: premature EOF", "", 1 },
	{ " \n", "parse JSON at line 2, column 1: premature EOF", "", 2 },
	{ "{", "parse JSON at line 1, column 2: premature EOF", "", 1 },
	{ "{\"a\":1}\n{}", "parse JSON at line 2, column 2: trailing garbage", "", 2 },
	{ "{\"a\":1,\n \"b\":2,\n \"a\":3}",
	  "parse JSON at line 3, column 6: \"a\" is twice in one object", "", 3 },
	{ "{\"x\":{\"a\":1,\"\\u0061\":3}}",
	  "parse JSON at line 1, column 22: \"a\" is twice in one object", "/x", 1 },
	{ "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,\"j\":0,\"k\":"
	  "1,\"l\":2,\"m\":3,"
	  "\"n\":4,\"o\":5,\"p\":6,\"q\":7,\"b\":8}",
	  "parse JSON at line 1, column 108: \"b\" is twice in one object", "", 1 },
	{ "[\"a\\u0000b\"]", "parse JSON at line 1, column 2: a string holds \\u0000", "", 1 },
	{ "{\"a\\u0000b\":1}", "parse JSON at line 1, column 2: a string holds \\u0000", "", 1 },
	{ "[\"\\ud800\"]",
	  "parse JSON at line 1, column 2: a string holds half of a surrogate pair", "", 1 },
	{ "[\"\\ud800x\\udc00\"]",
	  "parse JSON at line 1, column 2: a string holds half of a surrogate pair", "", 1 },
	{ "[\"\\udc00\\ud800\"]",
	  "parse JSON at line 1, column 2: a string holds half of a surrogate pair", "", 1 },
	{ "[\"\xc0\x80\"]", "parse JSON at line 1, column 2: a string is not valid UTF-8", "", 1 },
	{ "[\"\xed\xa0\x80\"]", "parse JSON at line 1, column 2: a string is not valid UTF-8", "",
	  1 },
	{ "[\"\xf4\x90\x80\x80\"]", "parse JSON at line 1, column 2: a string is not valid UTF-8",
	  "", 1 },
	{ "[\"\xe2\x82\"]", "parse JSON at line 1, column 2: a string is not valid UTF-8", "", 1 },
	{ "[1,\n 01]", "parse JSON at line 2, column 4: after array element, I expect ',' or ']'",
	  "", 2 },
	{ "[1,]", "parse JSON at line 1, column 5: unallowed token at this point in JSON text", "",
	  1 },
	{ "{\"a\":[1,{\"b\":tru}]}",
	  "parse JSON at line 1, column 17: invalid string in json text.", "/a/1", 1 },
	{ "[1,\f2]", "parse JSON at line 1, column 4: a control character", "", 1 },
	{ "[1,2]\v", "parse JSON at line 1, column 6: a control character", "", 1 },
	{ "[\"\t\"]", "parse JSON at line 1, column 3: invalid character inside string.", "", 1 },
	{ "[1] // no comments", "parse JSON at line 1, column 5: trailing garbage", "", 1 },
	{ "['a']", "parse JSON at line 1, column 3: invalid char in json text.", "", 1 },
	{ "[0x10]", "parse JSON at line 1, column 4: invalid char in json text.", "", 1 },
};

static void test_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct arena arena = { 0 };
		const struct json *root = NULL;
		struct err err;

		assert_int_equal(
			json_parse(&arena, refused[i].text, strlen(refused[i].text), &root, &err),
			-EINVAL);
		assert_string_equal(err.text, refused[i].message);
		assert_string_equal(err.pointer, refused[i].pointer);
		assert_int_equal(err.line, refused[i].line);
		assert_int_equal(err.kind, ERR_USER);
		assert_null(root);
		arena_clear(&arena);
	}
}

static void test_depth(void **state)
{
	char text[2 * (JSON_MAX_DEPTH + 1) + 1];
	struct arena arena = { 0 };
	const struct json *root;
	struct err err;

	memset(text, '[', JSON_MAX_DEPTH);
	memset(text + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
	assert_int_equal(json_parse(&arena, text, 2 * JSON_MAX_DEPTH, &root, &err), 0);

	memset(text, '[', JSON_MAX_DEPTH + 1);
	memset(text + JSON_MAX_DEPTH + 1, ']', JSON_MAX_DEPTH + 1);
	assert_int_equal(json_parse(&arena, text, 2 * (JSON_MAX_DEPTH + 1), &root, &err), -EINVAL);
	assert_string_equal(err.text, "parse JSON at line 1, column 65: nested too deep");
	arena_clear(&arena);
}

static void test_too_many_values(void **state)
{
	size_t len = 2 * (size_t)JSON_MAX_VALUES + 1;
	char *text = test_malloc(len);
	struct arena arena = { 0 };
	const struct json *root;
	struct err err;

	/* "[0,0,...,0]": the array and its entries are one more than the limit. */
	for (size_t i = 0; i < len; i++)
		text[i] = i & 1 ? '0' : ',';
	text[0] = '[';
	text[len - 1] = ']';
	assert_int_equal(json_parse(&arena, text, len, &root, &err), -EINVAL);
	assert_non_null(strstr(err.text, ": too many values"));
	arena_clear(&arena);
	test_free(text);
}

/* A million names must be checked for duplicates in the blink of an eye, not in hours. */
static void test_many_names(void **state)
{
	enum { NAMES = 200000, WIDTH = 11 };
	char *text = test_malloc(NAMES * WIDTH + 2);
	struct arena arena = { 0 };
	const struct json *root;
	struct err err;
	size_t len = 0;

	text[len++] = '{';
	for (int i = 0; i < NAMES; i++)
		len += (size_t)sprintf(text + len, "\"%06x\":0%c", i, i + 1 < NAMES ? ',' : '}');
	assert_int_equal(json_parse(&arena, text, len, &root, &err), 0);
	assert_int_equal(root->len, NAMES);
	arena_clear(&arena);
	test_free(text);
}

static void test_size(void **state)
{
	struct arena arena = { 0 };
	const struct json *root;
	struct err err;

	assert_int_equal(json_parse(&arena, "", JSON_MAX_BYTES + 1, &root, &err), -EINVAL);
	assert_string_equal(err.text,
			    "parse JSON: 67108865 bytes are more than the limit of 67108864");
}

static const struct {
	const char *text;
	int u64, i64; /* results */
	uint64_t u;
	int64_t i;
} numbers[] = {
	{ "0", 0, 0, 0, 0 },
	{ "42", 0, 0, 42, 42 },
	{ "-1", -ERANGE, 0, 0, -1 },
	{ "007", 0, 0, 7, 7 },
	{ "", -EINVAL, -EINVAL, 0, 0 },
	{ "-", -EINVAL, -EINVAL, 0, 0 },
	{ "--1", -EINVAL, -EINVAL, 0, 0 },
	{ "+1", -EINVAL, -EINVAL, 0, 0 },
	{ " 1", -EINVAL, -EINVAL, 0, 0 },
	{ "1 ", -EINVAL, -EINVAL, 0, 0 },
	{ "0x1", -EINVAL, -EINVAL, 0, 0 },
	{ "1e3", -EINVAL, -EINVAL, 0, 0 },
	{ "18446744073709551615", 0, -ERANGE, UINT64_MAX, 0 },
	{ "18446744073709551616", -ERANGE, -ERANGE, 0, 0 },
	{ "99999999999999999999999", -ERANGE, -ERANGE, 0, 0 },
	{ "-9223372036854775808", -ERANGE, 0, 0, INT64_MIN },
	{ "-9223372036854775809", -ERANGE, -ERANGE, 0, 0 },
};

static void test_numbers(void **state)
{
	for (size_t k = 0; k < ARRAY_LEN(numbers); k++) {
		uint64_t u = 0;
		int64_t i = 0;

		assert_int_equal(num_u64(numbers[k].text, strlen(numbers[k].text), &u),
				 numbers[k].u64);
		assert_int_equal(num_i64(numbers[k].text, strlen(numbers[k].text), &i),
				 numbers[k].i64);
		assert_true(u == numbers[k].u);
		assert_true(i == numbers[k].i);
	}
}

static void test_number_bounds(void **state)
{
	uint64_t u = 5;
	int64_t i = 5;

	assert_int_equal(num_parse_u64("10", 1, 10, &u), 0);
	assert_int_equal(u, 10);
	assert_int_equal(num_parse_u64("11", 1, 10, &u), -ERANGE);
	assert_int_equal(num_parse_u64("0", 1, 10, &u), -ERANGE);
	assert_int_equal(u, 10);
	assert_int_equal(num_parse_i64("-3", -3, 0, &i), 0);
	assert_int_equal(i, -3);
	assert_int_equal(num_parse_i64("-4", -3, 0, &i), -ERANGE);
	assert_int_equal(num_parse_i64("x", -3, 0, &i), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_text_is_borrowed_and_needs_no_nul),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_integers_are_exact),
		cmocka_unit_test(test_pointer),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_too_many_values),
		cmocka_unit_test(test_many_names),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_number_bounds),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
