/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What exec's options and what process.json leaves out make of a process; no system call. */
#include "runtime/exec_process.h"

#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define CAP(name) (UINT64_C(1) << (name))

static struct str_list list(struct arena *arena, const char *words)
{
	struct str_list out = { .items = arena_array(arena, 16, sizeof(*out.items)) };
	char *rest = arena_strdup(arena, words), *word;

	while ((word = strsep(&rest, " ")))
		out.items[out.n++] = word;
	return out;
}

static struct config_process saved(struct arena *arena)
{
	return (struct config_process){
		.set = true,
		.cwd = "/work",
		.args = list(arena, "init"),
		.env = list(arena, "PATH=/bin A=1 B=2"),
		.uid = 10,
		.gid = 20,
		.capabilities = { .set = true,
				  .effective = CAP(CAP_CHOWN),
				  .permitted = CAP(CAP_CHOWN),
				  .bounding = CAP(CAP_CHOWN),
				  .inheritable = CAP(CAP_KILL) },
		.umask = { true, 077 },
		.oom_score_adj = { true, 300 },
		.apparmor_profile = "p",
		.selinux_label = "l",
		.scheduler = { .set = true, .nice = 3 },
		.io_priority = { .set = true, .priority = 7 },
		.exec_cpu_affinity_initial = "0",
		.exec_cpu_affinity_final = "1",
	};
}

/* Silence must not take away what confines. */
static void test_what_process_json_leaves_out_is_the_containers(void **state)
{
	defer_arena struct arena arena = { 0 };
	const struct config_process from = saved(&arena);
	struct config_process p = { .set = true, .cwd = "/", .args = list(&arena, "sh") };

	exec_process_inherit(&p, &from);
	assert_int_equal(p.capabilities.effective, CAP(CAP_CHOWN));
	assert_int_equal(p.umask.v, 077);
	assert_int_equal(p.oom_score_adj.v, 300);
	assert_string_equal(p.apparmor_profile, "p");
	assert_string_equal(p.selinux_label, "l");
	assert_int_equal(p.scheduler.nice, 3);
	assert_int_equal(p.io_priority.priority, 7);
	assert_string_equal(p.exec_cpu_affinity_initial, "0");
	assert_string_equal(p.exec_cpu_affinity_final, "1");
	/* Its own: user, environment, directory */
	assert_int_equal(p.uid, 0);
	assert_int_equal(p.env.n, 0);
	assert_string_equal(p.cwd, "/");
}

static void test_what_process_json_says_stays(void **state)
{
	defer_arena struct arena arena = { 0 };
	const struct config_process from = saved(&arena);
	struct config_process p = { .set = true,
				    .capabilities = { .set = true },
				    .umask = { true, 0 },
				    .oom_score_adj = { true, 0 },
				    .apparmor_profile = "other",
				    .exec_cpu_affinity_final = "5" };

	exec_process_inherit(&p, &from);
	assert_int_equal(p.capabilities.bounding, 0);
	assert_int_equal(p.umask.v, 0);
	assert_int_equal(p.oom_score_adj.v, 0);
	assert_string_equal(p.apparmor_profile, "other");
	assert_null(p.exec_cpu_affinity_initial);
	assert_string_equal(p.exec_cpu_affinity_final, "5");
}

static void test_X13_options_change_what_they_name(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct config_process p = saved(&arena);
	const struct process_changes changes = { .args = list(&arena, "id -u"),
						 .env = list(&arena, "A=9 C=3"),
						 .caps = list(&arena, "kill CAP_SYSLOG"),
						 .gids = list(&arena, "5 6"),
						 .user = "7:8",
						 .cwd = "/tmp" };
	struct err err = ERR_INIT;

	assert_int_equal(exec_process_change(&arena, &p, &changes, &err), 0);
	assert_int_equal(p.uid, 7);
	assert_int_equal(p.gid, 8);
	assert_string_equal(p.cwd, "/tmp");
	assert_string_equal(p.args.items[0], "id");
	assert_int_equal(p.env.n, 4);
	assert_string_equal(p.env.items[2], "A=9");
	assert_string_equal(p.env.items[3], "C=3");
	assert_int_equal(p.additional_gids.n, 2);
	assert_int_equal(p.additional_gids.items[1], 6);
	assert_int_equal(p.capabilities.effective,
			 CAP(CAP_CHOWN) | CAP(CAP_KILL) | CAP(CAP_SYSLOG));
	assert_int_equal(p.capabilities.inheritable, CAP(CAP_KILL));
	/* Ambient only what was inheritable before */
	assert_int_equal(p.capabilities.ambient, CAP(CAP_KILL));
}

static void test_X15_a_user_without_a_group_keeps_it(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct config_process p = saved(&arena);
	const struct process_changes changes = { .user = "7" };
	struct err err = ERR_INIT;

	assert_int_equal(exec_process_change(&arena, &p, &changes, &err), 0);
	assert_int_equal(p.uid, 7);
	assert_int_equal(p.gid, 20);
}

static const struct {
	struct process_changes changes;
	const char *env, *caps, *gids, *text, *hint;
} refused[] = {
	{ .changes = { .user = "4294967295" },
	  .text = "run as user \"4294967295\": it is not UID or UID:GID" },
	{ .changes = { .user = "1:" }, .text = "it is not UID or UID:GID" },
	{ .changes = { .user = "root" },
	  .text = "run as user \"root\"",
	  .hint = "names are not looked up" },
	{ .changes = { .user = "1:2:3" }, .text = "it is not UID or UID:GID" },
	{ .changes = { .cwd = "tmp" }, .text = "start in \"tmp\": it is not an absolute path" },
	{ .env = "A", .text = "set environment \"A\": it is not NAME=VALUE" },
	{ .env = "=x", .text = "set environment \"=x\"" },
	{ .gids = "4294967295", .text = "add group \"4294967295\"" },
	{ .caps = "CAP_KIL",
	  .text = "add capability \"CAP_KIL\"",
	  .hint = "did you mean CAP_KILL?" },
};

static void test_X15_values_that_can_not_be_meant(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		defer_arena struct arena arena = { 0 };
		struct config_process p = saved(&arena);
		struct process_changes changes = refused[i].changes;
		struct err err = ERR_INIT;

		if (refused[i].env)
			changes.env = list(&arena, refused[i].env);
		if (refused[i].caps)
			changes.caps = list(&arena, refused[i].caps);
		if (refused[i].gids)
			changes.gids = list(&arena, refused[i].gids);
		assert_int_equal(exec_process_change(&arena, &p, &changes, &err), -EINVAL);
		if (!strstr(err.text, refused[i].text))
			fail_msg("%s", err.text);
		if (refused[i].hint && !strstr(err.hint, refused[i].hint))
			fail_msg("%s: hint %s", err.text, err.hint);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_process_json_leaves_out_is_the_containers),
		cmocka_unit_test(test_what_process_json_says_stays),
		cmocka_unit_test(test_X13_options_change_what_they_name),
		cmocka_unit_test(test_X15_a_user_without_a_group_keeps_it),
		cmocka_unit_test(test_X15_values_that_can_not_be_meant),
	};

	return cmocka_run_group_tests_name("exec-process", tests, NULL, NULL);
}
