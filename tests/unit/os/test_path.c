/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths in a root: what is made, where links lead, and that nothing leaves the root. */
#include "os/path.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char base[64];
static int root = -EBADF;

/* What os_made_fn heard, as "a;a/b;". */
static char heard[512];

static void hear(void *arg, int parent, const char *path, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	snprintf(heard + strlen(heard), sizeof(heard) - strlen(heard), "%s;", path);
}

static int set_up(void **state)
{
	snprintf(base, sizeof(base), "/tmp/tare-unit-path-XXXXXX");
	assert_non_null(mkdtemp(base));
	root = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	assert_int_equal(mkdirat(root, "root", 0755), 0);
	assert_int_equal(mkdirat(root, "outside", 0755), 0);
	close(root);
	root = -EBADF;
	return 0;
}

static int open_root(void **state)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/root", base);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	heard[0] = '\0';
	return root < 0 ? -1 : 0;
}

static int close_root(void **state)
{
	char command[192];

	close(root);
	snprintf(command, sizeof(command), "rm -rf %s/root && mkdir %s/root", base, base);
	return system(command);
}

static int tear_down(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", base);
	return system(command);
}

static void assert_mode(const char *path, mode_t mode)
{
	struct stat st;

	assert_int_equal(fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, mode);
}

static int make(const char *path, mode_t type)
{
	int fd = os_make_in_root(root, path, type, 0755, hear, NULL);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static void makes_directories(void **state)
{
	mode_t before = umask(077);

	assert_int_equal(make("/a//b/./c/", S_IFDIR), 0);
	umask(before);
	assert_mode("a/b/c", S_IFDIR | 0755);
	assert_string_equal(heard, "a;a//b;a//b/./c;");
}

static void makes_a_file(void **state)
{
	assert_int_equal(make("a/b", S_IFREG), 0);
	assert_mode("a", S_IFDIR | 0755);
	assert_mode("a/b", S_IFREG | 0755);
}

static void opens_what_is_there(void **state)
{
	assert_int_equal(mkdirat(root, "a", 0700), 0);
	assert_int_equal(make("/a", S_IFREG), 0);
	assert_mode("a", S_IFDIR | 0700);
	assert_string_equal(heard, "");
	assert_int_equal(make("/", S_IFDIR), 0);
}

static void follows_links_inside(void **state)
{
	assert_int_equal(mkdirat(root, "dir", 0755), 0);
	assert_int_equal(symlinkat("/real/sub", root, "dir/link"), 0);
	assert_int_equal(make("/dir/link/x", S_IFDIR), 0);
	assert_mode("real/sub/x", S_IFDIR | 0755);
	assert_int_equal(symlinkat("sibling", root, "dir/relative"), 0);
	assert_int_equal(make("/dir/relative", S_IFREG), 0);
	assert_mode("dir/sibling", S_IFREG | 0755);
}

static void links_do_not_leave(void **state)
{
	struct stat st;
	char path[128];

	assert_int_equal(symlinkat("../../../outside/x", root, "up"), 0);
	assert_int_equal(make("/up/y", S_IFDIR), 0);
	assert_mode("outside/x/y", S_IFDIR | 0755);
	snprintf(path, sizeof(path), "%s/outside/x", base);
	assert_int_equal(stat(path, &st), -1);
}

static void loops_end(void **state)
{
	assert_int_equal(symlinkat("b", root, "a"), 0);
	assert_int_equal(symlinkat("a", root, "b"), 0);
	assert_int_equal(make("/a", S_IFDIR), -ELOOP);
	assert_int_equal(os_open_in_root(root, "a", O_PATH, 0), -ELOOP);
}

static void a_file_on_the_way(void **state)
{
	assert_int_equal(make("/a", S_IFREG), 0);
	assert_int_equal(make("/a/b", S_IFDIR), -ENOTDIR);
}

static void long_names(void **state)
{
	char name[400], path[5000];

	memset(name, 'n', 300);
	name[300] = '\0';
	assert_int_equal(make(name, S_IFDIR), -ENAMETOOLONG);
	memset(path, '/', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(make(path, S_IFDIR), -ENAMETOOLONG);
}

static void forbidden_links(void **state)
{
	assert_int_equal(symlinkat("x", root, "link"), 0);
	assert_int_equal(os_open_in_root(root, "link", O_PATH, RESOLVE_NO_SYMLINKS), -ELOOP);
}

static void clean(void **state)
{
	static const char *const cases[][2] = {
		{ "/", "/" },           { "", "/" },         { "a", "/a" },
		{ "//a///b/", "/a/b" }, { "/a/../b", "/b" }, { "../../a", "/a" },
		{ "/a/b/../..", "/" },  { "./a/.", "/a" },   { "/..a/b..", "/..a/b.." },
		{ "/a/...", "/a/..." },
	};
	char ret[64];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		path_clean(cases[i][0], ret);
		assert_string_equal(ret, cases[i][1]);
	}
}

static void below(void **state)
{
	assert_true(path_is_below("/a/b", "/a"));
	assert_true(path_is_below("/a", "/a"));
	assert_true(path_is_below("/a", "/"));
	assert_false(path_is_below("/ab", "/a"));
	assert_false(path_is_below("/", "/a"));
}

#define IN_ROOT(name) cmocka_unit_test_setup_teardown(name, open_root, close_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ROOT(makes_directories),   IN_ROOT(makes_a_file),
		IN_ROOT(opens_what_is_there), IN_ROOT(follows_links_inside),
		IN_ROOT(links_do_not_leave),  IN_ROOT(loops_end),
		IN_ROOT(a_file_on_the_way),   IN_ROOT(long_names),
		IN_ROOT(forbidden_links),     cmocka_unit_test(clean),
		cmocka_unit_test(below),
	};

	return cmocka_run_group_tests_name("path", tests, set_up, tear_down);
}
