/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conditions of seccomp profiles, settled for one container on one machine. */
#include "engine/seccomp_profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CAP_SYS_ADMIN_BIT (1ULL << 21)

static struct arena arena;

static int resolve(const char *syscalls, const struct seccomp_for *where, const char **ret,
		   struct err *err)
{
	struct json_writer w;
	const char *text = arena_printf(
		&arena, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[%s]}", syscalls);
	int r;

	json_writer_init(&w, &arena, 0);
	json_object_begin(&w, NULL);
	r = seccomp_profile_resolve(&w, "test", text, strlen(text), where, err);
	json_object_end(&w);
	*ret = json_writer_text(&w, NULL);
	return r;
}

static bool allows(const char *conditions, struct seccomp_for where)
{
	struct err err = ERR_INIT;
	const char *out;

	assert_int_equal(
		resolve(arena_printf(&arena,
				     "{\"names\":[\"probe\"],\"action\":\"SCMP_ACT_ALLOW\"%s}",
				     conditions),
			&where, &out, &err),
		0);
	assert_null(strstr(out, "includes"));
	assert_null(strstr(out, "excludes"));
	return strstr(out, "probe") != NULL;
}

static void test_a_rule_without_conditions_is_in_force(void **state)
{
	assert_true(allows("", (struct seccomp_for){ .architecture = "amd64" }));
}

static void test_capabilities(void **state)
{
	const char *with = ",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}";
	const char *without = ",\"excludes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}";
	struct seccomp_for has = { "amd64", { 6, 1 }, CAP_SYS_ADMIN_BIT };
	struct seccomp_for lacks = { "amd64", { 6, 1 }, 0 };

	assert_true(allows(with, has) && !allows(with, lacks));
	assert_true(!allows(without, has) && allows(without, lacks));
}

static void test_architectures(void **state)
{
	const char *on = ",\"includes\":{\"arches\":[\"arm64\",\"amd64\"]}";

	assert_true(allows(on, (struct seccomp_for){ .architecture = "amd64" }));
	assert_false(allows(on, (struct seccomp_for){ .architecture = "s390x" }));
	assert_false(allows(",\"excludes\":{\"arches\":[\"s390x\"]}",
			    (struct seccomp_for){ .architecture = "s390x" }));
}

static void test_kernels_are_compared_as_numbers(void **state)
{
	const char *since = ",\"includes\":{\"minKernel\":\"4.8\"}";

	assert_true(allows(since, (struct seccomp_for){ "amd64", { 4, 8 }, 0 }));
	assert_true(allows(since, (struct seccomp_for){ "amd64", { 4, 10 }, 0 }));
	assert_true(allows(since, (struct seccomp_for){ "amd64", { 6, 1 }, 0 }));
	assert_false(allows(since, (struct seccomp_for){ "amd64", { 4, 7 }, 0 }));
	assert_false(allows(since, (struct seccomp_for){ "amd64", { 3, 19 }, 0 }));
}

static void test_what_is_no_profile_is_refused_by_name(void **state)
{
	static const char *const texts[] = { "", "[]", "{\"syscalls\":", "7" };
	struct seccomp_for where = { .architecture = "amd64" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct err err = ERR_INIT;
		struct json_writer w;

		json_writer_init(&w, &arena, 0);
		json_object_begin(&w, NULL);
		assert_true(seccomp_profile_resolve(&w, "mine.json", texts[i], strlen(texts[i]),
						    &where, &err) < 0);
		assert_non_null(strstr(err.text, "mine.json"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_rule_without_conditions_is_in_force),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_architectures),
		cmocka_unit_test(test_kernels_are_compared_as_numbers),
		cmocka_unit_test(test_what_is_no_profile_is_refused_by_name),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	arena_clear(&arena);
	return failed;
}
