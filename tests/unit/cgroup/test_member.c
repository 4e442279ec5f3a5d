/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which cgroups a further process joins: where init is, and what the caller names below it. */
#include "cgroup/member.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct cgroup_dir dirs[3];

static int fresh(void **state)
{
	dirs[0] = (struct cgroup_dir){ .path = "/c/cpu/web",
				       .mount = "/c/cpu",
				       .controllers = "cpu,cpuacct" };
	dirs[1] = (struct cgroup_dir){ .path = "/c/systemd/web",
				       .mount = "/c/systemd",
				       .controllers = "name=systemd" };
	dirs[2] = (struct cgroup_dir){
		.path = "/c/unified/web", .mount = "/c/unified", .controllers = "", .v2 = true
	};
	return 0;
}

static const struct {
	const char *word;
	uint64_t chosen;
	const char *paths[3];
} words[] = {
	{ "/below", 7, { "/c/cpu/web/below", "/c/systemd/web/below", "/c/unified/web/below" } },
	{ "below/./x/",
	  7,
	  { "/c/cpu/web/below/x", "/c/systemd/web/below/x", "/c/unified/web/below/x" } },
	{ "/", 7, { "/c/cpu/web", "/c/systemd/web", "/c/unified/web" } },
	{ "a/../b", 7, { "/c/cpu/web/b", "/c/systemd/web/b", "/c/unified/web/b" } },
	{ "cpu:/b", 1, { "/c/cpu/web/b", "/c/systemd/web", "/c/unified/web" } },
	{ "cpuacct:/b", 1, { "/c/cpu/web/b", "/c/systemd/web", "/c/unified/web" } },
	{ "systemd,cpu:/b", 3, { "/c/cpu/web/b", "/c/systemd/web/b", "/c/unified/web" } },
	{ "name=systemd:/b", 2, { "/c/cpu/web", "/c/systemd/web/b", "/c/unified/web" } },
	{ "unified:/b", 4, { "/c/cpu/web", "/c/systemd/web", "/c/unified/web/b" } },
};

static void test_K13_below_the_containers_cgroup(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		defer_arena struct arena arena = { 0 };
		struct err err = ERR_INIT;
		uint64_t chosen;

		fresh(NULL);
		if (cgroup_choose_below(&arena, dirs, 3, words[i].word, &chosen, &err) < 0)
			fail_msg("%s: %s", words[i].word, err.text);
		assert_int_equal(chosen, words[i].chosen);
		for (int k = 0; k < 3; k++)
			assert_string_equal(dirs[k].path, words[i].paths[k]);
	}
}

static const struct {
	const char *word, *text;
} refused[] = {
	{ "../web2", "use cgroup \"../web2\": its \"..\" leads out of the container's cgroup" },
	{ "/a/../../web", "leads out of the container's cgroup" },
	{ "cpu:/../x", "leads out of the container's cgroup" },
	{ "memory:/b", "the container has no cgroup with the controller \"memory\"" },
	{ "cpu,:/b", "the container has no cgroup with the controller \"\"" },
	{ "cp:/b", "the container has no cgroup with the controller \"cp\"" },
};

static void test_K13_what_leads_out_or_is_not_there(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		defer_arena struct arena arena = { 0 };
		struct err err = ERR_INIT;
		uint64_t chosen;

		fresh(NULL);
		assert_int_equal(
			cgroup_choose_below(&arena, dirs, 3, refused[i].word, &chosen, &err),
			-EINVAL);
		if (!strstr(err.text, refused[i].text))
			fail_msg("%s: %s", refused[i].word, err.text);
	}
}

static void test_K13_v2_alone_has_no_controllers_to_name(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;
	uint64_t chosen;

	assert_int_equal(cgroup_choose_below(&arena, &dirs[2], 1, "cpu:/b", &chosen, &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "with cgroup v2 there is one for all controllers"));
	assert_non_null(strstr(err.hint, "leave the controllers out: \"/b\""));
}

static void test_K12_a_process_that_is_gone(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;

	/* No pid is that high. */
	assert_int_equal(cgroup_follow(&arena, dirs, 3, 4194305, &err), -ENOENT);
	assert_string_equal(err.text, "read \"/proc/4194305/cgroup\": not there (ENOENT)");
}

/* Hierarchies that this host does not have can't be looked up, so they stay as the record has them. */
static void test_K12_what_can_not_be_found_stays(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(cgroup_follow(&arena, dirs, 3, getpid(), &err), 0);
	assert_string_equal(dirs[0].path, "/c/cpu/web");
	assert_string_equal(dirs[2].path, "/c/unified/web");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_K13_below_the_containers_cgroup, fresh),
		cmocka_unit_test_setup(test_K13_what_leads_out_or_is_not_there, fresh),
		cmocka_unit_test_setup(test_K13_v2_alone_has_no_controllers_to_name, fresh),
		cmocka_unit_test_setup(test_K12_a_process_that_is_gone, fresh),
		cmocka_unit_test_setup(test_K12_what_can_not_be_found_stays, fresh),
	};

	return cmocka_run_group_tests_name("cgroup-member", tests, NULL, NULL);
}
