/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup_layout_read() on fake /proc and /sys trees, and the paths that follow from a layout. */
#include "cgroup/layout.h"
#include "cgroup/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct tree {
	char root[64];
	struct arena arena;
};

static void make_file(const struct tree *tree, const char *path, const char *text)
{
	char full[512];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", tree->root, path);
	for (char *at = full + strlen(tree->root) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(full, 0700);
		*at = '/';
	}
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int make_tree(void **state)
{
	static struct tree tree;

	strcpy(tree.root, "/tmp/tare-layout-XXXXXX");
	*state = &tree;
	return mkdtemp(tree.root) ? 0 : -1;
}

static int remove_tree(void **state)
{
	struct tree *tree = *state;
	char command[128];

	arena_clear(&tree->arena);
	snprintf(command, sizeof(command), "rm -r %s", tree->root);
	return system(command);
}

/* The layout as text: "mode: mount[root] controllers own; ..." */
static const char *describe(struct tree *tree, const char *mountinfo, const char *own)
{
	struct cgroup_layout layout;
	struct err err = ERR_INIT;
	char *text;

	make_file(tree, "/proc/self/mountinfo", mountinfo);
	make_file(tree, "/proc/self/cgroup", own);
	assert_int_equal(cgroup_layout_read(&tree->arena, tree->root, &layout, &err), 0);
	text = arena_strdup(&tree->arena, cgroup_mode_names[layout.mode]);
	for (size_t i = 0; i < layout.n; i++)
		text = arena_printf(&tree->arena, "%s\n%s %s root %s own %s", text,
				    layout.items[i].mount, layout.items[i].controllers,
				    layout.items[i].root, layout.items[i].own_path);
	return text;
}

#define TMPFS "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
#define V1(n, point, options)                                                                      \
	n " 31 0:" n " / /sys/fs/cgroup/" point                                                    \
	  " rw,relatime shared:9 - cgroup cgroup rw," options "\n"

static void test_v1_in_the_order_of_the_mounts(void **state)
{
	struct tree *tree = *state;

	assert_string_equal(
		describe(tree,
			 TMPFS V1("32", "cpu,cpuacct", "cpu,cpuacct") V1("35", "memory", "memory")
				 V1("40", "systemd", "xattr,name=systemd"),
			 "9:name=systemd:/user\n4:memory:/process_api/7c9a\n3:cpu,cpuacct:/\n"),
		"v1\n"
		"/sys/fs/cgroup/cpu,cpuacct cpu,cpuacct root / own /\n"
		"/sys/fs/cgroup/memory memory root / own /process_api/7c9a\n"
		"/sys/fs/cgroup/systemd name=systemd root / own /user");
}

static void test_hybrid_with_v2_last(void **state)
{
	struct tree *tree = *state;

	make_file(tree, "/sys/fs/cgroup/unified/cgroup.controllers", "hugetlb\n");
	assert_string_equal(describe(tree,
				     TMPFS "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 "
					   "cgroup2 rw,nsdelegate\n" V1("32", "cpu", "cpu")
						   V1("33", "pids", "pids"),
				     "8:pids:/\n1:cpu:/\n0::/a\n"),
			    "hybrid\n"
			    "/sys/fs/cgroup/cpu cpu root / own /\n"
			    "/sys/fs/cgroup/pids pids root / own /\n"
			    "/sys/fs/cgroup/unified hugetlb root / own /a");
}

static void test_v2_alone(void **state)
{
	struct tree *tree = *state;

	make_file(tree, "/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");
	assert_string_equal(
		describe(tree, "30 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n",
			 "0::/user.slice/session-1.scope\n"),
		"v2\n/sys/fs/cgroup cpuset cpu io memory pids root / own "
		"/user.slice/session-1.scope");
}

static void test_none(void **state)
{
	struct tree *tree = *state;

	assert_string_equal(describe(tree, "23 1 8:1 / / rw - ext4 /dev/sda1 rw\n", "0::/\n"),
			    "none");
	assert_string_equal(describe(tree, "", ""), "none");
}

/* In a container without a cgroup namespace the mount shows a subtree; paths count from there. */
static void test_root_of_the_mount_is_taken_off(void **state)
{
	struct tree *tree = *state;

	assert_string_equal(describe(tree,
				     "50 40 0:35 /docker/abc /sys/fs/cgroup/memory ro master:1 - "
				     "cgroup cgroup rw,memory\n",
				     "4:memory:/docker/abc/sub\n"),
			    "v1\n/sys/fs/cgroup/memory memory root /docker/abc own /sub");
	assert_string_equal(describe(tree,
				     "50 40 0:35 /docker/abc /sys/fs/cgroup/memory ro - cgroup "
				     "cgroup rw,memory\n",
				     "4:memory:/docker/abcdef\n"),
			    "v1\n/sys/fs/cgroup/memory memory root /docker/abc own /");
	assert_string_equal(
		describe(tree, "50 40 0:35 / /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
			 "4:memory:/../elsewhere\n"),
		"v1\n/sys/fs/cgroup/memory memory root / own /");
}

/* The usual place wins over binds into containers, and there the last mount, which hides the others. */
static void test_mounted_many_times(void **state)
{
	struct tree *tree = *state;

	assert_string_equal(
		describe(tree,
			 "50 40 0:35 / /old/memory rw - cgroup cgroup rw,memory\n"
			 "51 40 0:35 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
			 "52 40 0:35 / /sys/fs/cgroup/mem rw - cgroup cgroup rw,memory\n"
			 "53 40 0:35 / /var/lib/x/sys/fs/cgroup/memory rw - cgroup cgroup "
			 "rw,memory\n",
			 "4:memory:/\n"),
		"v1\n/sys/fs/cgroup/mem memory root / own /");
}

static void test_names_are_unescaped_and_not_mistaken(void **state)
{
	struct tree *tree = *state;

	/* "memory" is not "memory_recursiveprot", and "cgroup" in a source is no cgroup mount. */
	assert_string_equal(
		describe(tree,
			 "49 40 0:34 / /mnt rw - tmpfs cgroup rw\n"
			 "50 40 0:35 / /my\\040cgroups rw - cgroup none rw,memory\n"
			 "51 40 0:36 / /other rw - cgroup cgroup rw,memory_recursiveprot\n",
			 "4:memory:/a:b\n5:blkio:/not-mounted\n"),
		"v1\n/my cgroups memory root / own /a:b");
}

/* A runtime that stands very deep: its lines are longer than what one read usually takes. */
static void test_a_long_own_path(void **state)
{
	struct tree *tree = *state;
	char *own = arena_alloc(&tree->arena, 3 * 4096 + 256), *at = own;
	const char *text;

	for (int i = 0; i < 3; i++) {
		at += sprintf(at, "%d:%s:/", i + 1, i == 0 ? "cpu" : i == 1 ? "memory" : "pids");
		memset(at, 'a' + i, 4000);
		at += 4000;
		*at++ = '\n';
	}
	text = describe(tree,
			TMPFS V1("32", "cpu", "cpu") V1("33", "memory", "memory")
				V1("34", "pids", "pids"),
			own);
	assert_non_null(strstr(text, "pids root / own /cccc"));
	assert_int_equal(strlen(strrchr(text, '/')), 4001);
}

static void test_what_is_missing_is_named(void **state)
{
	struct tree *tree = *state;
	struct cgroup_layout layout;
	struct err err = ERR_INIT;

	assert_int_equal(cgroup_layout_read(&tree->arena, tree->root, &layout, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/proc/self/mountinfo\": not there (ENOENT)"));

	make_file(tree, "/proc/self/mountinfo",
		  "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
	make_file(tree, "/proc/self/cgroup", "0::/\n");
	assert_int_equal(cgroup_layout_read(&tree->arena, tree->root, &layout, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/sys/fs/cgroup/cgroup.controllers\""));
}

static void test_find(void **state)
{
	static struct cgroup_hierarchy items[] = {
		{ .mount = "/a", .controllers = "cpu,cpuacct" },
		{ .mount = "/b", .controllers = "name=systemd" },
		{ .mount = "/c", .controllers = "memory io", .v2 = true },
	};
	const struct cgroup_layout layout = { CGROUP_HYBRID, items, 3 },
				   none = { CGROUP_NONE, NULL, 0 };

	assert_int_equal(cgroup_find(&layout, "cpuacct"), 0);
	assert_int_equal(cgroup_find(&layout, "name=systemd"), 1);
	assert_int_equal(cgroup_find(&layout, "io"), 2);
	assert_int_equal(cgroup_find(&layout, "cpua"), -1);
	assert_int_equal(cgroup_find(&layout, "mem"), -1);
	assert_int_equal(cgroup_find_v2(&layout), 2);
	assert_int_equal(cgroup_find_v2(&none), -1);
}

/* ---- paths ------------------------------------------------------------------------------------------------------ */

static const struct {
	const char *cgroups_path, *expected; /* NULL: refused */
	const char *error;
} paths[] = {
	{ NULL, "/web", NULL },
	{ "", "/web", NULL },
	{ "/a/b", "/a/b", NULL },
	{ "a/b", "/a/b", NULL }, /* the same place, whoever calls */
	{ "//a/./b//", "/a/b", NULL },
	{ "/a/../b", "/b", NULL },
	{ "a/b/../../c", "/c", NULL },
	{ "/..", NULL, "use cgroup path \"/..\": its \"..\" leads out of the cgroup mount" },
	{ "a/../../b", NULL,
	  "use cgroup path \"a/../../b\": its \"..\" leads out of the cgroup mount" },
	{ "/", NULL, "use cgroup path \"/\": it is the root of the hierarchy" },
	{ "a/..", NULL, "use cgroup path \"a/..\": it is the root of the hierarchy" },
	{ "/...", "/...", NULL },
	{ "system.slice:tare:web", "/system.slice:tare:web", NULL },
};

static void test_paths(void **state)
{
	struct tree *tree = *state;
	const char *clean;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct err err = ERR_INIT;
		int r = cgroup_path_clean(&tree->arena, paths[i].cgroups_path, "web", &clean, &err);

		if (paths[i].expected) {
			assert_int_equal(r, 0);
			assert_string_equal(clean, paths[i].expected);
		} else {
			assert_int_equal(r, -EINVAL);
			assert_string_equal(err.text, paths[i].error);
			assert_string_equal(err.pointer, "/linux/cgroupsPath");
			assert_true(err.hint[0]);
		}
	}
}

static void test_long_paths(void **state)
{
	struct tree *tree = *state;
	char name[CGROUP_NAME_MAX + 2], path[CGROUP_PATH_MAX + 2];
	struct err err = ERR_INIT;
	const char *clean;

	memset(name, 'a', sizeof(name));
	name[CGROUP_NAME_MAX] = '\0';
	assert_int_equal(cgroup_path_clean(&tree->arena, name, "web", &clean, &err), 0);
	name[CGROUP_NAME_MAX] = 'a';
	name[CGROUP_NAME_MAX + 1] = '\0';
	assert_int_equal(cgroup_path_clean(&tree->arena, name, "web", &clean, &err), -EINVAL);

	for (size_t i = 0; i < sizeof(path); i++)
		path[i] = i % 2 ? 'b' : '/';
	path[CGROUP_PATH_MAX] = '\0';
	assert_int_equal(cgroup_path_clean(&tree->arena, path, "web", &clean, &err), 0);
	assert_string_equal(clean, path);
	path[CGROUP_PATH_MAX] = '/';
	path[CGROUP_PATH_MAX + 1] = '\0';
	assert_int_equal(cgroup_path_clean(&tree->arena, path, "web", &clean, &err), -EINVAL);
	assert_string_equal(err.text, "use a cgroup path of 3073 bytes");
}

static void test_directory(void **state)
{
	struct tree *tree = *state;
	struct cgroup_hierarchy at_root = { .mount = "/" },
				usual = { .mount = "/sys/fs/cgroup/pids" };

	assert_string_equal(cgroup_directory(&tree->arena, &usual, "/a/b"),
			    "/sys/fs/cgroup/pids/a/b");
	assert_string_equal(cgroup_directory(&tree->arena, &at_root, "/a/b"), "/a/b");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_tree, remove_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_v1_in_the_order_of_the_mounts),
		TEST(test_hybrid_with_v2_last),
		TEST(test_v2_alone),
		TEST(test_none),
		TEST(test_root_of_the_mount_is_taken_off),
		TEST(test_mounted_many_times),
		TEST(test_names_are_unescaped_and_not_mistaken),
		TEST(test_a_long_own_path),
		TEST(test_what_is_missing_is_named),
		TEST(test_find),
		TEST(test_paths),
		TEST(test_long_paths),
		TEST(test_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
