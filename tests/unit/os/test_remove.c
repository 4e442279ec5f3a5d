/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Removing trees: all of it goes, however deep, and nothing that a link points to. */
#include "os/remove.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#define DEPTH 3000

static char base[64];
static int dir = -EBADF;

static int setup(void **state)
{
	strcpy(base, "/tmp/tare-unit-remove-XXXXXX");
	if (!mkdtemp(base))
		return -1;
	dir = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : 0;
}

/* Nothing but what the test kept is left, so this works only if it did. */
static int teardown(void **state)
{
	close(dir);
	return rmdir(base);
}

static void make_file(int at, const char *name)
{
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static bool is_there(const char *path)
{
	return faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void test_files_links_and_nothing(void **state)
{
	make_file(dir, "file");
	assert_int_equal(symlinkat("file", dir, "link"), 0);
	assert_int_equal(os_remove_tree(dir, "link"), 0);
	assert_true(is_there("file"));
	assert_int_equal(os_remove_tree(dir, "file"), 0);
	assert_int_equal(os_remove_tree(dir, "file"), -ENOENT);
}

static void test_links_are_not_followed(void **state)
{
	assert_int_equal(mkdirat(dir, "kept", 0700), 0);
	make_file(dir, "kept/file");
	assert_int_equal(mkdirat(dir, "tree", 0700), 0);
	assert_int_equal(mkdirat(dir, "tree/a", 0700), 0);
	assert_int_equal(symlinkat("../../kept", dir, "tree/a/link"), 0);
	assert_int_equal(symlinkat("../kept", dir, "tree/link"), 0);
	assert_int_equal(os_remove_tree(dir, "tree"), 0);
	assert_false(is_there("tree"));
	assert_true(is_there("kept/file"));
	assert_int_equal(os_remove_tree(dir, "kept"), 0);
}

static void test_names_that_it_would_choose_itself(void **state)
{
	assert_int_equal(mkdirat(dir, "tree", 0700), 0);
	for (int i = 0; i < 4; i++) {
		char path[80];

		snprintf(path, sizeof(path), "tree/tare-remove-%d", i);
		assert_int_equal(mkdirat(dir, path, 0700), 0);
		/* deeper than what is removed in its place */
		for (int level = 0; level < 12; level++) {
			strcat(path, "/a");
			assert_int_equal(mkdirat(dir, path, 0700), 0);
		}
		strcat(path, "/b");
		make_file(dir, path);
	}
	assert_int_equal(os_remove_tree(dir, "tree"), 0);
}

/* Deeper than there may be open files, and deeper than any path. */
static void test_very_deep(void **state)
{
	struct rlimit before, few = { 32, 32 };
	int at;

	assert_int_equal(mkdirat(dir, "tree", 0700), 0);
	at = openat(dir, "tree", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < DEPTH; i++) {
		int below;

		make_file(at, "file");
		assert_int_equal(mkdirat(at, "deeper", 0700), 0);
		below = openat(at, "deeper", O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(below >= 0);
		close(at);
		at = below;
	}
	close(at);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(os_remove_tree(dir, "tree"), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_false(is_there("tree"));
}

static void test_very_wide(void **state)
{
	assert_int_equal(mkdirat(dir, "tree", 0700), 0);
	for (int i = 0; i < 1000; i++) {
		char path[48];

		snprintf(path, sizeof(path), "tree/%d", i);
		assert_int_equal(mkdirat(dir, path, 0700), 0);
		snprintf(path, sizeof(path), "tree/%d/x", i);
		assert_int_equal(mkdirat(dir, path, 0), 0);
	}
	assert_int_equal(os_remove_tree(dir, "tree"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_files_links_and_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links_are_not_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_that_it_would_choose_itself, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_very_deep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_very_wide, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
