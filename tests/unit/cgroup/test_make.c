/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making and removing on plain directories, which behave as cgroups do as far as names go; and the hints. */
#include "cgroup/freezer.h"
#include "cgroup/hints.h"
#include "cgroup/make.h"
#include "cgroup/processes.h"
#include "cgroup/remove.h"
#include "os/kernel.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct place {
	char mount[64];
	char path[256]; /* of the last at() */
};

static int make_place(void **state)
{
	static struct place place;

	strcpy(place.mount, "/tmp/tare-cgroup-XXXXXX");
	*state = &place;
	return mkdtemp(place.mount) ? 0 : -1;
}

static int remove_place(void **state)
{
	struct place *place = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", place->mount);
	return system(command);
}

static const char *at(struct place *place, const char *below)
{
	snprintf(place->path, sizeof(place->path), "%s%s", place->mount, below);
	return place->path;
}

static bool is_there(struct place *place, const char *below)
{
	struct stat st;

	return stat(at(place, below), &st) == 0;
}

static int make(struct place *place, const char *below, uint32_t *ret_existing, struct err *err)
{
	const struct cgroup_request request = {
		.path = at(place, below),
		.mount = place->mount,
		.expected = UINT32_MAX,
		.enable = "",
		.needed = "",
	};
	int fd = -EBADF, r = cgroup_make(&request, ret_existing, &fd, err);

	if (r == 0)
		close(fd);
	return r;
}

static int unmake(struct place *place, const char *below, uint32_t existing)
{
	struct cgroup_dir dir = { .path = at(place, below),
				  .mount = place->mount,
				  .existing = existing };
	struct err err = ERR_INIT;

	return cgroup_remove(&dir, 0, &err);
}

static uint32_t existing_names(struct place *place, const char *path)
{
	uint32_t n = UINT32_MAX;

	assert_int_equal(cgroup_existing(place->mount, at(place, path), &n), 0);
	return n;
}

static void test_K10_only_what_was_made_is_removed(void **state)
{
	struct place *place = *state;
	struct err err = ERR_INIT;
	uint32_t existing;

	mkdir(at(place, "/old"), 0755);
	assert_int_equal(existing_names(place, "/old/a/b"), 1);
	assert_int_equal(make(place, "/old/a/b", &existing, &err), 0);
	assert_int_equal(existing, 1);
	assert_int_equal(existing_names(place, "/old/a/b"), 3);
	assert_int_equal(unmake(place, "/old/a/b", existing), 0);
	assert_false(is_there(place, "/old/a"));
	assert_true(is_there(place, "/old"));
	/* Gone already is fine. */
	assert_int_equal(unmake(place, "/old/a/b", existing), 0);
}

static void test_K10_one_that_was_there_stays(void **state)
{
	struct place *place = *state;
	struct err err = ERR_INIT;
	uint32_t existing;

	mkdir(at(place, "/old"), 0755);
	assert_int_equal(make(place, "/old", &existing, &err), 0);
	assert_int_equal(existing, 1);
	assert_int_equal(unmake(place, "/old", existing), 0);
	assert_true(is_there(place, "/old"));
}

static void test_K10_a_parent_that_others_use_stays(void **state)
{
	struct place *place = *state;
	struct err err = ERR_INIT;
	uint32_t existing, other;

	assert_int_equal(make(place, "/a/one", &existing, &err), 0);
	assert_int_equal(make(place, "/a/two", &other, &err), 0);
	assert_int_equal(existing, 0);
	assert_int_equal(other, 1);
	assert_int_equal(unmake(place, "/a/one", existing), 0);
	assert_true(is_there(place, "/a/two"));
	assert_int_equal(unmake(place, "/a/two", other), 0);
	assert_true(is_there(place, "/a"));
}

static void test_what_the_container_made_goes_too(void **state)
{
	struct place *place = *state;
	struct err err = ERR_INIT;
	uint32_t existing;

	assert_int_equal(make(place, "/a", &existing, &err), 0);
	mkdir(at(place, "/a/x"), 0755);
	mkdir(at(place, "/a/x/y"), 0755);
	mkdir(at(place, "/a/z"), 0755);
	assert_int_equal(unmake(place, "/a", existing), 0);
	assert_false(is_there(place, "/a"));
}

/* What keeps a plain directory from going is an error at once; a busy cgroup is waited for. */
static void test_what_can_not_be_removed_is_named(void **state)
{
	struct place *place = *state;
	struct cgroup_dir dir = { .mount = place->mount };
	struct err err = ERR_INIT;
	uint32_t existing;

	assert_int_equal(make(place, "/a", &existing, &err), 0);
	close(open(at(place, "/a/file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	dir.path = at(place, "/a");
	assert_int_equal(cgroup_remove(&dir, 0, &err), -ENOTEMPTY);
	assert_non_null(strstr(err.text, "remove cgroup \""));
}

static void test_K11_two_that_make_the_same(void **state)
{
	struct place *place = *state;
	struct err err = ERR_INIT;
	struct cgroup_request request = {
		.mount = place->mount, .enable = "", .needed = "", .expected = 0
	};
	uint32_t existing;
	int fd;

	assert_int_equal(make(place, "/a", &existing, &err), 0);
	request.path = at(place, "/a");
	assert_int_equal(cgroup_make(&request, &existing, &fd, &err), -EEXIST);
	assert_non_null(strstr(err.text, "somebody else has just made it"));
	assert_true(is_there(place, "/a"));
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void test_K11_existing_with_processes_or_frozen(void **state)
{
	struct place *place = *state;
	struct err err = ERR_INIT;
	uint32_t existing;

	mkdir(at(place, "/a"), 0755);
	mkdir(at(place, "/a/b"), 0755);
	write_text(at(place, "/a/b/cgroup.procs"), "0\n4711\n");
	assert_int_equal(make(place, "/a", &existing, &err), -EEXIST);
	assert_non_null(strstr(err.text, "it is there already, and has processes in it"));

	write_text(at(place, "/a/freezer.state"), "FROZEN\n");
	assert_int_equal(make(place, "/a", &existing, &err), -EEXIST);
	assert_non_null(strstr(err.text, "it is there already, and frozen"));
}

/* What a v1 freezer has stopped is never shown asleep since Linux 6.1, so then nobody needs to look. */
static void test_K7_a_sleeping_process_tells_of_a_v1_freezer_alone(void **state)
{
	struct place *place = *state;
	char freezer[512];
	struct cgroup_dir dirs[] = { { .mount = place->mount, .v2 = true }, { .mount = freezer } };
	int looked = os_kernel_version() < OS_KERNEL(6, 1);

	snprintf(freezer, sizeof(freezer), "%s/freezer", place->mount);
	mkdir(at(place, "/a"), 0755);
	write_text(at(place, "/a/cgroup.freeze"), "1\n");
	write_text(at(place, "/a/freezer.state"), "FROZEN\n");
	dirs[0].path = dirs[1].path = at(place, "/a");

	assert_int_equal(cgroup_is_frozen_with(&dirs[1], 1, 'S'), looked);
	assert_int_equal(cgroup_is_frozen_with(dirs, 2, 'S'), looked);
	assert_int_equal(cgroup_is_frozen_with(dirs, 2, 'D'), 1);
	assert_int_equal(cgroup_is_frozen_with(dirs, 2, 'R'), 1);
	assert_int_equal(cgroup_is_frozen_with(dirs, 1, 'S'), 1);
	write_text(at(place, "/a/cgroup.freeze"), "0\n");
	assert_int_equal(cgroup_is_frozen_with(dirs, 1, 'S'), 0);
}

static void test_half_made_is_taken_back(void **state)
{
	struct place *place = *state;
	struct err err = ERR_INIT;
	char full[512];
	const struct cgroup_request request = {
		.path = full,
		.mount = place->mount,
		.expected = UINT32_MAX,
		.enable = "",
		.needed = "",
	};
	uint32_t existing;
	int fd;

	/* The last name is longer than any filesystem takes. */
	snprintf(full, sizeof(full), "%s/a/b/%0300d", place->mount, 1);
	assert_int_equal(cgroup_make(&request, &existing, &fd, &err), -ENAMETOOLONG);
	assert_false(is_there(place, "/a"));
}

static void test_signals_and_freezing_without_a_freezer(void **state)
{
	struct place *place = *state;
	struct cgroup_dir dir = { .mount = place->mount };
	struct err err = ERR_INIT;

	mkdir(at(place, "/a"), 0755);
	dir.path = at(place, "/a");
	assert_int_equal(cgroup_is_frozen(&dir, 1), 0);
	assert_int_equal(cgroup_freeze(&dir, 1, 10), -EOPNOTSUPP);
	assert_int_equal(cgroup_thaw(&dir, 1), -EOPNOTSUPP);
	assert_int_equal(cgroup_signal_all(&dir, 1, 15, &err), 0);
	assert_int_equal(cgroup_kill_all(&dir, 1, &err), 0);
	assert_int_equal(cgroup_oom_kills(&dir, 1), 0);
	dir.path = at(place, "/gone");
	assert_int_equal(cgroup_kill_all(&dir, 1, &err), 0);
	assert_int_equal(cgroup_has_processes(dir.path), 0);
}

static void test_K7_a_freeze_that_takes_too_long_is_taken_back(void **state)
{
	struct place *place = *state;
	struct cgroup_dir dir = { .mount = place->mount, .v2 = true };
	char text[8] = "";
	FILE *file;

	dir.path = place->mount;
	write_text(at(place, "/cgroup.freeze"), "0\n");
	/* What nobody rings for: a plain file */
	write_text(at(place, "/cgroup.events"), "populated 1\nfrozen 0\n");
	assert_int_equal(cgroup_freeze(&dir, 1, 20), -ETIMEDOUT);
	file = fopen(at(place, "/cgroup.freeze"), "r");
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	assert_string_equal(text, "0\n");

	write_text(at(place, "/cgroup.events"), "populated 1\nfrozen 1\n");
	assert_int_equal(cgroup_freeze(&dir, 1, 20), 0);
	assert_int_equal(cgroup_is_frozen(&dir, 1), 1);
}

static void test_K17_oom_kills_are_counted(void **state)
{
	struct place *place = *state;
	struct cgroup_dir dir = { .mount = place->mount };
	FILE *file = fopen(at(place, "/memory.oom_control"), "w");

	fputs("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", file);
	fclose(file);
	dir.path = place->mount;
	assert_int_equal(cgroup_oom_kills(&dir, 1), 3);
	dir.v2 = true;
	file = fopen(at(place, "/memory.events"), "w");
	fputs("low 0\nhigh 0\nmax 5\noom 2\noom_kill 7\noom_group_kill 0\n", file);
	fclose(file);
	assert_int_equal(cgroup_oom_kills(&dir, 1), 7);
}

static void test_hints(void **state)
{
	assert_non_null(
		strstr(cgroup_write_hint("memory.limit_in_bytes", -EBUSY), "uses more than that"));
	assert_non_null(strstr(cgroup_write_hint("memory.swap.max", -ENOENT), "swapaccount"));
	assert_non_null(strstr(cgroup_write_hint("io.max", -ENODEV), "lsblk"));
	assert_non_null(strstr(cgroup_write_hint("cpuset.cpus", -EINVAL), "subset"));
	assert_non_null(strstr(cgroup_write_hint("what.ever", -ENOENT), "subtree_control"));
	assert_null(cgroup_write_hint("what.ever", -EIO));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_K10_only_what_was_made_is_removed),
		TEST(test_K10_one_that_was_there_stays),
		TEST(test_K10_a_parent_that_others_use_stays),
		TEST(test_what_the_container_made_goes_too),
		TEST(test_what_can_not_be_removed_is_named),
		TEST(test_K11_two_that_make_the_same),
		TEST(test_K11_existing_with_processes_or_frozen),
		TEST(test_K7_a_sleeping_process_tells_of_a_v1_freezer_alone),
		TEST(test_half_made_is_taken_back),
		TEST(test_signals_and_freezing_without_a_freezer),
		TEST(test_K7_a_freeze_that_takes_too_long_is_taken_back),
		TEST(test_K17_oom_kills_are_counted),
		cmocka_unit_test(test_hints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
