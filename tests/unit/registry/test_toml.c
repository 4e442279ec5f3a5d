/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TOML, as JSON that says the same; and what TOML forbids. */
#include "base/json_write.h"
#include "registry/toml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_documents_are_read(void **state)
{
	static const struct {
		const char *toml, *json;
	} cases[] = {
		{ "", "{}" },
		{ "# only a comment", "{}" },
		{ "a = 1\nb = -2 # two\r\nc = +3\n", "{\"a\":1,\"b\":-2,\"c\":3}" },
		{ "t = true\nf = false", "{\"t\":true,\"f\":false}" },
		{ "a = \"x\\ty\\\\ \\u00e9 \\U0001F600\"", "{\"a\":\"x\\ty\\\\ é 😀\"}" },
		{ "a = 'C:\\x'", "{\"a\":\"C:\\\\x\"}" },
		{ "a = \"\"\"\nline\nnext \\\n   same\"\"\"", "{\"a\":\"line\\nnext same\"}" },
		{ "a = '''\r\nx\r\n'y' '''''", "{\"a\":\"x\\n'y' ''\"}" },
		{ "a = \"\"\"\"quoted\"\"\"\"", "{\"a\":\"\\\"quoted\\\"\"}" },
		{ "a = []\nb = [1, 2,]\nc = [ # x\n 'y' , \n [\"z\"] ]",
		  "{\"a\":[],\"b\":[1,2],\"c\":[\"y\",[\"z\"]]}" },
		{ "a = {}\nb = { x = 1, y.z = 'w' }",
		  "{\"a\":{},\"b\":{\"x\":1,\"y\":{\"z\":\"w\"}}}" },
		{ "a.b.c = 1\na.b.d = 2", "{\"a\":{\"b\":{\"c\":1,\"d\":2}}}" },
		{ "\"a.b\" = 1\n'c d' . e = 2", "{\"a.b\":1,\"c d\":{\"e\":2}}" },
		{ "[a]\nx = 1\n[ a . b ]\ny = 2", "{\"a\":{\"x\":1,\"b\":{\"y\":2}}}" },
		{ "[a.b]\ny = 2\n[a]\nx = 1", "{\"a\":{\"b\":{\"y\":2},\"x\":1}}" },
		{ "[[r]]\np = 'a'\n[[r.m]]\nl = 1\n[[r.m]]\nl = 2\n[[r]]\np = 'b'",
		  "{\"r\":[{\"p\":\"a\",\"m\":[{\"l\":1},{\"l\":2}]},{\"p\":\"b\"}]}" },
		{ "1 = 'bare'\n- = 2", "{\"1\":\"bare\",\"-\":2}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		defer_arena struct arena arena = { 0 };
		struct err err = ERR_INIT;
		const struct json *root;
		struct json_writer w;

		if (toml_parse(&arena, cases[i].toml, strlen(cases[i].toml), &root, &err) < 0)
			fail_msg("%s: %s", cases[i].toml, err.text);
		json_writer_init(&w, &arena, 0);
		json_add_value(&w, NULL, root);
		assert_string_equal(json_writer_text(&w, NULL), cases[i].json);
	}
}

static void test_what_toml_forbids_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *toml, *why;
	} cases[] = {
		{ "a = 1\na = 2", "line 2: \"a\" is already there" },
		{ "[a]\n[a]", "line 2: \"a\" is already there" },
		{ "a = 1\n[a]", "line 2: \"a\" is already there" },
		{ "a.b = 1\n[a]", "line 2: \"a\" is already there" },
		{ "[a]\nb = 1\n[a.b]", "line 3: \"b\" is already there" },
		{ "a = {b = 1}\n[a.c]", "line 2: \"a\" is no table that can be added to" },
		{ "a = {b = 1}\na.c = 2", "line 2: \"a\" is already there" },
		{ "a = [1]\n[[a]]", "line 2: \"a\" is already there, and no list of tables" },
		{ "[[a]]\n[a]", "line 2: \"a\" is already there" },
		{ "a = 1 b = 2", "line 1: expected the end of the line" },
		{ "a", "line 1: expected \"=\" after a key" },
		{ "= 1", "line 1: expected a key" },
		{ "[a", "line 1: expected \"]\"" },
		{ "[[a]", "line 1: expected \"]]\"" },
		{ "a = ", "\"\" is no value" },
		{ "a = yes", "\"yes\" is no value that is known here" },
		{ "a = 1.5", "\"1.5\" is no value" },
		{ "a = 0x10", "\"0x10\" is no value" },
		{ "a = 010", "\"010\" is no value" },
		{ "a = 1979-05-27", "\"1979-05-27\" is no value" },
		{ "a = [1, 2", "expected \",\" or \"]\"" },
		{ "a = [,]", "is no value" },
		{ "a = {b = 1,}", "a \",\" before \"}\"" },
		{ "a = {b = 1\n}", "expected \",\" or \"}\"" },
		{ "a = \"x", "line 1: a string without its end" },
		{ "a = \"x\ny\"", "line 1: a line end in a string" },
		{ "a = \"\x01\"", "a control character in a string" },
		{ "a = \"\\q\"", "an unknown escape" },
		{ "a = \"\\u00\"", "an escape needs 4 hexadecimal digits" },
		{ "a = \"\\u0000\"", "an escape of no character" },
		{ "a = \"\\ud800\"", "an escape of no character" },
		{ "a = \"\xff\"", "line 1: it is no UTF-8 text" },
		{ "a = [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "values in more than 16 others" },
		{ "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = 1", "a key of more than 16 parts" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		defer_arena struct arena arena = { 0 };
		struct err err = ERR_INIT;
		const struct json *root;

		if (toml_parse(&arena, cases[i].toml, strlen(cases[i].toml), &root, &err) !=
		    -EINVAL)
			fail_msg("%s should have been refused", cases[i].toml);
		if (!strstr(err.text, cases[i].why))
			fail_msg("%s: %s", cases[i].toml, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documents_are_read),
		cmocka_unit_test(test_what_toml_forbids_is_refused_with_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
