/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subordinate ids: whose they are, and which lines count (row Q-3). */
#include "runtime/subids.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

/* The ranges of user "web", uid 1000, as "start+count ..." */
static const char *ranges(const char *text, const char *name)
{
	static char out[512];
	defer_arena struct arena arena = { 0 };
	defer_close int fd = memfd_create("subuid", MFD_CLOEXEC);
	struct subid_list list;
	char path[64];
	size_t len = 0;

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(subids_read(&arena, path, name, 1000, &list), 0);
	out[0] = '\0';
	for (size_t i = 0; i < list.n; i++)
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%s%u+%u", i ? " " : "",
					list.items[i].start, list.items[i].count);
	return out;
}

static void test_Q3_by_name_and_by_uid(void **state)
{
	const char *text =
		"root:5:5\nweb:100000:65536\n1000:200000:10\nwebby:7:7\n100:8:8\nweb:9:1";

	assert_string_equal(ranges(text, "web"), "100000+65536 200000+10 9+1");
	assert_string_equal(ranges(text, NULL), "200000+10");
}

static void test_Q3_lines_that_mean_nothing(void **state)
{
	assert_string_equal(
		ranges("web:1:0\nweb:x:5\nweb:5\nweb:\n\nweb:4294967295:2\nweb:4294967296:1\n",
		       "web"),
		"");
	assert_string_equal(ranges("web:4294967295:1\nweb:0:4294967295", "web"),
			    "4294967295+1 0+4294967295");
	assert_string_equal(ranges(":1:1\n", ""), "1+1");
}

static void test_Q3_no_file_gives_nothing(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct subid_list list;

	assert_int_equal(subids_read(&arena, "/nowhere/subuid", "web", 1000, &list), 0);
	assert_int_equal(list.n, 0);
	assert_int_equal(subids_read(&arena, "/", "web", 1000, &list), -EISDIR);
}

static void test_Q3_not_more_than_a_map_takes(void **state)
{
	defer_arena struct arena arena = { 0 };
	defer_close int fd = memfd_create("subuid", MFD_CLOEXEC);
	struct subid_list list;
	char path[64];

	for (int i = 0; i < SUBIDS_MAX + 10; i++)
		assert_true(dprintf(fd, "web:%d:1\n", i * 10) > 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(subids_read(&arena, path, "web", 1000, &list), 0);
	assert_int_equal(list.n, SUBIDS_MAX);
	assert_int_equal(list.items[SUBIDS_MAX - 1].start, (SUBIDS_MAX - 1) * 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_Q3_by_name_and_by_uid),
		cmocka_unit_test(test_Q3_lines_that_mean_nothing),
		cmocka_unit_test(test_Q3_no_file_gives_nothing),
		cmocka_unit_test(test_Q3_not_more_than_a_map_takes),
	};

	return cmocka_run_group_tests_name("subids", tests, NULL, NULL);
}
