/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who a container's process is, by files that an image brought. */
#include "engine/user.h"
#include "os/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct arena arena;
static char root_path[] = "/tmp/tare-unit-user-XXXXXX";
static int root;

static const struct str_list none = { .n = 0 };

static void write_file(const char *name, const char *text)
{
	(void)unlinkat(root, name, 0);
	assert_int_equal(os_file_make_at(root, name, text, strlen(text), 0644), 0);
}

static int set_up(void **state)
{
	if (!mkdtemp(root_path))
		return -1;
	root = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || mkdirat(root, "etc", 0755) < 0)
		return -1;
	write_file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"
				 "# a comment\n"
				 "broken:x:many:0::/:\n"
				 "big:x:4294967296:0::/:\n"
				 "user:x:1000:1001:U:/home/user:/bin/sh\n");
	write_file("etc/group",
		   "root:x:0:\nuser:x:1001:\nextra:x:2000:other,user\nmore:x:2001:user\n"
		   "alike:x:2002:userx\nbroken:x:no:user\n");
	return 0;
}

static int tear_down(void **state)
{
	(void)unlinkat(root, "etc/passwd", 0);
	(void)unlinkat(root, "etc/group", 0);
	(void)unlinkat(root, "etc", AT_REMOVEDIR);
	close(root);
	arena_clear(&arena);
	return rmdir(root_path);
}

static struct user found(const char *text, const struct str_list *extra)
{
	struct err err = ERR_INIT;
	struct user user;

	assert_int_equal(user_find(&arena, root, text, extra, &user, &err), 0);
	return user;
}

static void assert_groups(const struct user *user, const uint32_t *groups, size_t n)
{
	assert_int_equal(user->groups.n, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(user->groups.items[i], groups[i]);
}

static void test_nobody_named_is_root(void **state)
{
	struct user a = found(NULL, &none), b = found("", &none);

	assert_true(a.uid == 0 && a.gid == 0 && b.uid == 0 && b.gid == 0);
	assert_string_equal(a.name, "root");
}

static void test_a_name_brings_its_groups(void **state)
{
	struct user user = found("user", &none);

	assert_int_equal(user.uid, 1000);
	assert_int_equal(user.gid, 1001);
	assert_groups(&user, (const uint32_t[]){ 2000, 2001 }, 2);
}

static void test_a_group_of_its_own_takes_the_place_of_all(void **state)
{
	struct user by_name = found("user:extra", &none), by_number = found("1000:7", &none);

	assert_int_equal(by_name.gid, 2000);
	assert_groups(&by_name, NULL, 0);
	assert_true(by_number.uid == 1000 && by_number.gid == 7);
}

static void test_a_number_need_not_be_there(void **state)
{
	struct user user = found("54321", &none);

	assert_true(user.uid == 54321 && user.gid == 0 && user.name == NULL);
	assert_groups(&user, NULL, 0);
}

static void test_more_groups_are_added_once(void **state)
{
	struct user user = found("user", &(struct str_list){ (const char *[]){ "more", "9" }, 2 });

	assert_groups(&user, (const uint32_t[]){ 2000, 2001, 9 }, 3);
}

static void assert_refused(const char *text, const struct str_list *extra, const char *message)
{
	struct err err = ERR_INIT;
	struct user user;

	assert_int_equal(user_find(&arena, root, text, extra, &user, &err), -EINVAL);
	assert_non_null(strstr(err.text, message));
}

static void test_what_is_not_there_is_named(void **state)
{
	assert_refused("nobody", &none, "user \"nobody\" is not in the container's /etc/passwd");
	assert_refused("user:nogroup", &none,
		       "group \"nogroup\" is not in the container's /etc/group");
	assert_refused("root", &(struct str_list){ (const char *[]){ "gone" }, 1 },
		       "group \"gone\" is not in the container's /etc/group");
}

static void test_a_line_whose_number_is_none_is_nobodys(void **state)
{
	assert_refused("broken", &none, "user \"broken\"");
	assert_refused("big", &none, "user \"big\"");
}

static void test_a_link_does_not_lead_out_of_the_root(void **state)
{
	assert_int_equal(unlinkat(root, "etc/passwd", 0), 0);
	assert_int_equal(symlinkat("/etc/shadow", root, "etc/passwd"), 0);
	assert_refused("daemon", &none, "user \"daemon\" is not in the container's /etc/passwd");
	assert_int_equal(found("12", &none).uid, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_named_is_root),
		cmocka_unit_test(test_a_name_brings_its_groups),
		cmocka_unit_test(test_a_group_of_its_own_takes_the_place_of_all),
		cmocka_unit_test(test_a_number_need_not_be_there),
		cmocka_unit_test(test_more_groups_are_added_once),
		cmocka_unit_test(test_what_is_not_there_is_named),
		cmocka_unit_test(test_a_line_whose_number_is_none_is_nobodys),
		cmocka_unit_test(test_a_link_does_not_lead_out_of_the_root),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
