/* SPDX-License-Identifier: GPL-2.0-or-later */
/* WWW-Authenticate: what registries send, what RFC 9110 allows beside that, and what is malformed. */
#include "registry/challenge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* All of it in one line: "scheme name=value|name=value; scheme" */
static const char *flat(struct arena *arena, const struct challenges *list)
{
	char *text = arena_strdup(arena, "");

	for (size_t i = 0; i < list->n; i++) {
		const struct challenge *c = &list->items[i];

		text = arena_printf(arena, "%s%s%s", text, i ? "; " : "", c->scheme);
		for (size_t j = 0; j < c->n; j++)
			text = arena_printf(arena, "%s%c%s=%s", text, j ? '|' : ' ',
					    c->parameters[j].name, c->parameters[j].value);
	}
	return text;
}

static void test_challenges_are_taken_apart(void **state)
{
	static const struct {
		const char *header, *read;
	} cases[] = {
		{ "Basic realm=\"Registry Realm\"", "basic realm=Registry Realm" },
		{ "Bearer realm=\"https://auth.example/token\",service=\"r.example\",scope=\"repository:a/b:pull,push\"",
		  "bearer realm=https://auth.example/token|service=r.example|scope=repository:a/b:pull,push" },
		{ "BEARER Realm=token, Error=\"insufficient_scope\"",
		  "bearer realm=token|error=insufficient_scope" },
		{ "Basic realm=\"a\", Bearer realm=\"b\",service=\"c\"",
		  "basic realm=a; bearer realm=b|service=c" },
		{ "Negotiate", "negotiate" },
		{ "Negotiate, Basic realm=x", "negotiate; basic realm=x" },
		{ "Negotiate YWJjZA==, Basic realm=x", "negotiate; basic realm=x" },
		{ "NTLM abc, Bearer realm=x", "ntlm; bearer realm=x" },
		{ "Basic realm = \"spaced\" , charset = UTF-8",
		  "basic realm=spaced|charset=UTF-8" },
		{ "Basic realm=\"a \\\"quoted\\\" \\\\ word\"",
		  "basic realm=a \"quoted\" \\ word" },
		{ "Basic realm=\"with, comma=and equals\"", "basic realm=with, comma=and equals" },
		{ ", ,Basic realm=\"\",,", "basic realm=" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		defer_arena struct arena arena = { 0 };
		struct challenges list = { 0 };
		struct err err = ERR_INIT;

		if (challenge_parse(&arena, cases[i].header, &list, &err) < 0)
			fail_msg("%s: %s", cases[i].header, err.text);
		assert_string_equal(flat(&arena, &list), cases[i].read);
	}
}

static void test_malformed_ones_are_refused_and_shown_escaped(void **state)
{
	static const struct {
		const char *header, *shown;
	} cases[] = {
		{ "Basic realm=\"no end", "realm=\"no end" },
		{ "=\"x\"", "=\"x\"" },
		{ "\"Basic\"", "\"Basic\"" },
		{ "Basic realm=\"a\" realm2=\"b\"", "realm2" },
		{ "Basic realm=a, realm=b", "realm=b" },
		{ "Bearer realm=\x1b[31m", "\\x1b[31m" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		defer_arena struct arena arena = { 0 };
		struct challenges list = { 0 };
		struct err err = ERR_INIT;

		if (challenge_parse(&arena, cases[i].header, &list, &err) != -EINVAL)
			fail_msg("%s should have been refused", cases[i].header);
		if (!strstr(err.text, cases[i].shown) || !strstr(err.text, "is malformed"))
			fail_msg("%s: %s", cases[i].header, err.text);
	}
}

static void test_there_is_a_limit_to_how_many(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct challenges list = { 0 };
	struct err err = ERR_INIT;
	char *many = arena_strdup(&arena, "Basic p0=x");

	for (int i = 1; i <= CHALLENGE_PARAMETERS_MAX; i++)
		many = arena_printf(&arena, "%s, p%d=x", many, i);
	assert_int_equal(challenge_parse(&arena, many, &list, &err), -EINVAL);
	list = (struct challenges){ 0 };
	for (int i = 0; i < CHALLENGES_MAX; i++)
		assert_int_equal(challenge_parse(&arena, "Basic", &list, &err), 0);
	assert_int_equal(challenge_parse(&arena, "Basic", &list, &err), -EINVAL);
	assert_int_equal(list.n, CHALLENGES_MAX);
}

static void test_they_are_found_by_scheme_and_name(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct challenges list = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(challenge_parse(&arena, "Basic realm=a", &list, &err), 0);
	assert_int_equal(challenge_parse(&arena, "Bearer realm=b", &list, &err), 0);
	assert_string_equal(challenge_parameter(challenge_find(&list, "bearer"), "realm"), "b");
	assert_null(challenge_parameter(challenge_find(&list, "bearer"), "service"));
	assert_null(challenge_find(&list, "digest"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_challenges_are_taken_apart),
		cmocka_unit_test(test_malformed_ones_are_refused_and_shown_escaped),
		cmocka_unit_test(test_there_is_a_limit_to_how_many),
		cmocka_unit_test(test_they_are_found_by_scheme_and_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
