/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The grammar of command lines, as callers of runc write them. */
#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct target {
	const char *bundle;
	bool detach, exclusive;
	unsigned fds;
};

static const struct option table[] = {
	{ "bundle", 'b', "DIR", "the bundle", option_set_text, offsetof(struct target, bundle) },
	{ "detach", 'd', NULL, "leave", option_set_switch, offsetof(struct target, detach) },
	{ "exclusive", 'x', NULL, "alone", option_set_switch, offsetof(struct target, exclusive) },
	{ "preserve-fds", 0, "N", "fds", option_set_unsigned, offsetof(struct target, fds) },
	OPTION_END,
};

struct outcome {
	int result, used;
	struct target target;
	struct operands words;
	struct err err;
};

#define PARSE(first, ...) parse(first, (char *const[]){ __VA_ARGS__, NULL })

static struct outcome parse(bool first, char *const *argv)
{
	struct outcome o = { .err = ERR_INIT };
	int argc = 0;

	while (argv[argc])
		argc++;
	o.result = options_parse(table, &o.target, argc, argv, first, &o.words, &o.used, &o.err);
	return o;
}

#define W(text) ((char *)(uintptr_t)(text))

static void test_one_dash_or_two(void **state)
{
	assert_string_equal(PARSE(false, W("--bundle"), W("a")).target.bundle, "a");
	assert_string_equal(PARSE(false, W("-bundle"), W("a")).target.bundle, "a");
	assert_string_equal(PARSE(false, W("-b"), W("a")).target.bundle, "a");
	assert_string_equal(PARSE(false, W("--b"), W("a")).target.bundle, "a");
}

static void test_values_after_an_equal_sign(void **state)
{
	assert_string_equal(PARSE(false, W("--bundle=a=b")).target.bundle, "a=b");
	assert_string_equal(PARSE(false, W("-b=")).target.bundle, "");
	assert_int_equal(PARSE(false, W("-preserve-fds=7")).target.fds, 7);
}

static void test_switches_take_no_word(void **state)
{
	struct outcome o = PARSE(false, W("-d"), W("false"));

	assert_true(o.target.detach);
	assert_int_equal(o.words.n, 1);
	assert_string_equal(o.words.words[0], "false");
	assert_false(PARSE(false, W("-d"), W("--detach=false")).target.detach);
	assert_true(PARSE(false, W("--detach=1")).target.detach);
}

static void test_letters_of_switches_share_a_dash(void **state)
{
	struct outcome o = PARSE(false, W("-dxb"), W("a"), W("w"));

	assert_true(o.target.detach);
	assert_true(o.target.exclusive);
	assert_string_equal(o.target.bundle, "a");
	assert_int_equal(o.words.n, 1);
	/* A value does not follow in the same word: a misspelt name would be one. */
	assert_int_equal(PARSE(false, W("-bd"), W("a")).result, -EINVAL);
	assert_int_equal(PARSE(false, W("-dz")).result, -EINVAL);
}

static void test_a_later_option_wins(void **state)
{
	assert_string_equal(PARSE(false, W("-b"), W("a"), W("-b"), W("c")).target.bundle, "c");
}

static void test_options_may_stand_behind_the_id(void **state)
{
	struct outcome o = PARSE(false, W("web"), W("-d"), W("x"));

	assert_int_equal(o.result, OPTIONS_DONE);
	assert_true(o.target.detach);
	assert_int_equal(o.words.n, 2);
	assert_string_equal(o.words.words[1], "x");
}

static void test_two_dashes_end_the_options(void **state)
{
	struct outcome o = PARSE(false, W("--"), W("-d"));

	assert_false(o.target.detach);
	assert_string_equal(o.words.words[0], "-d");
}

static void test_one_dash_alone_is_an_operand(void **state)
{
	assert_string_equal(PARSE(false, W("-")).words.words[0], "-");
}

static void test_global_options_end_at_the_command(void **state)
{
	struct outcome o = PARSE(true, W("-d"), W("run"), W("-b"), W("a"));

	assert_int_equal(o.used, 1);
	assert_null(o.target.bundle);
}

static void test_there_is_room_for_any_number_of_operands(void **state)
{
	struct outcome o = PARSE(false, W("a"), W("b"), W("c"), W("d"), W("e"), W("f"));

	assert_int_equal(o.words.n, 6);
	assert_string_equal(operands_at(&o.words, 0), "a");
	assert_string_equal(operands_at(&o.words, 4), "e");
	assert_string_equal(operands_at(&o.words, 5), "f");
	arena_clear(&o.words.more.arena);
}

static void test_help_is_known_everywhere(void **state)
{
	assert_int_equal(PARSE(false, W("--help"), W("--nonsense")).result, OPTIONS_HELP);
	assert_int_equal(PARSE(true, W("-h")).result, OPTIONS_HELP);
}

static void assert_refused(struct outcome o, const char *text, const char *hint)
{
	assert_int_equal(o.result, -EINVAL);
	assert_int_equal(o.err.kind, ERR_USER);
	assert_string_equal(o.err.text, text);
	assert_string_equal(o.err.hint, hint);
}

static void test_refusals_say_what_and_why(void **state)
{
	assert_refused(PARSE(false, W("--bundel"), W("a")), "unknown option \"--bundel\"",
		       "did you mean --bundle?");
	assert_refused(PARSE(false, W("-z")), "unknown option \"-z\"", "");
	assert_refused(PARSE(false, W("--bundle")),
		       "option \"--bundle\" needs a value: --bundle DIR", "");
	assert_refused(PARSE(false, W("--detach=maybe")),
		       "read option \"--detach\": \"maybe\" is neither true nor false", "");
	assert_refused(
		PARSE(false, W("--preserve-fds=-1")),
		"read option \"--preserve-fds\": \"-1\" is not a number from 0 to 4294967295", "");
	assert_refused(PARSE(false, W("--preserve-fds=4294967296")),
		       "read option \"--preserve-fds\": \"4294967296\" is not a number from 0 to "
		       "4294967295",
		       "");
	assert_refused(PARSE(false, W("--preserve-fds="), W("1")),
		       "read option \"--preserve-fds\": \"\" is not a number from 0 to 4294967295",
		       "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_dash_or_two),
		cmocka_unit_test(test_values_after_an_equal_sign),
		cmocka_unit_test(test_switches_take_no_word),
		cmocka_unit_test(test_letters_of_switches_share_a_dash),
		cmocka_unit_test(test_a_later_option_wins),
		cmocka_unit_test(test_options_may_stand_behind_the_id),
		cmocka_unit_test(test_two_dashes_end_the_options),
		cmocka_unit_test(test_one_dash_alone_is_an_operand),
		cmocka_unit_test(test_global_options_end_at_the_command),
		cmocka_unit_test(test_there_is_room_for_any_number_of_operands),
		cmocka_unit_test(test_help_is_known_everywhere),
		cmocka_unit_test(test_refusals_say_what_and_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
