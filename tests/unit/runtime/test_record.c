/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record on disk: what is written is read back, and what is no record is refused in words. */
#include "runtime/record.h"

#include "os/process.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

struct place {
	char root[64];
	int dir;
};

static int make_place(void **state)
{
	static struct place place;
	char path[128];

	strcpy(place.root, "/tmp/tare-unit-XXXXXX");
	if (!mkdtemp(place.root))
		return -1;
	snprintf(path, sizeof(path), "%s/web", place.root);
	if (mkdir(path, 0700) < 0)
		return -1;
	place.dir = record_dir_open(place.root, "web");
	*state = &place;
	return place.dir < 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;
	int r;

	(void)record_dir_remove(place->root, "web", place->dir);
	r = rmdir(place->root);
	close(place->dir);
	return r;
}

static struct container sample(void)
{
	static struct cgroup_dir cgroups[] = {
		{ .path = "/sys/fs/cgroup/memory/web",
		  .mount = "/sys/fs/cgroup/memory",
		  .existing = 1 },
		{ .path = "/sys/fs/cgroup/unified/web",
		  .mount = "/sys/fs/cgroup/unified",
		  .v2 = true },
	};
	static struct key_value annotations[] = { { "a.b", "value \"quoted\"" }, { "empty", "" } };

	return (struct container){
		.id = "web",
		.bundle = "/bundles/web",
		.rootfs = "/bundles/web/rootfs",
		.created = "2026-01-31T08:05:09.012345678Z",
		.owner = 1000,
		.creator = getpid(),
		.private_pid_ns = true,
		.has_process = true,
		.has_poststop = true,
		.annotations = { annotations, 2 },
		.cgroups = cgroups,
		.n_cgroups = 2,
	};
}

static void write_sample(struct place *place, const char *status, pid_t pid)
{
	defer_arena struct arena arena = { 0 };
	struct container c = sample();
	struct record record = { .root = place->root, .id = "web" };
	struct err err = ERR_INIT;

	record_render(&arena, &c, &record);
	assert_int_equal(record_write(place->dir, &record, status, pid, &err), 0);
}

static void test_what_is_written_is_read(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;
	struct os_process_stat self;
	struct container c;

	write_sample(*state, "created", getpid());
	assert_int_equal(record_read(&arena, ((struct place *)*state)->dir, RECORD_FILE, &c, &err),
			 0);
	assert_int_equal(os_process_stat(getpid(), &self), 0);
	assert_string_equal(c.id, "web");
	assert_string_equal(c.rootfs, "/bundles/web/rootfs");
	assert_string_equal(c.created, "2026-01-31T08:05:09.012345678Z");
	assert_int_equal(c.status, CONTAINER_CREATED);
	assert_int_equal(c.pid, getpid());
	assert_int_equal(c.start_time, self.start_time);
	assert_int_equal(c.owner, 1000);
	assert_true(c.private_pid_ns && c.has_process && c.has_poststop && !c.has_poststart);
	assert_int_equal(c.annotations.n, 2);
	assert_string_equal(c.annotations.items[0].value, "value \"quoted\"");
	assert_int_equal(c.n_cgroups, 2);
	assert_int_equal(c.cgroups[0].existing, 1);
	assert_true(c.cgroups[1].v2);
}

static void read_unit(struct place *place, const char *status, bool ours, struct container *ret,
		      struct arena *arena)
{
	struct container c = sample();
	struct record record = { .root = place->root, .id = "web" };
	struct err err = ERR_INIT;

	c.unit = (struct unit){ .name = "tare-web.scope" };
	record_render(arena, &c, &record);
	record.unit_ours = ours;
	assert_int_equal(record_write(place->dir, &record, status, getpid(), &err), 0);
	assert_int_equal(record_read(arena, place->dir, RECORD_FILE, ret, &err), 0);
}

static void test_K16_Z3_a_unit_is_ours_only_once_it_was_made_for_us(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct container c;

	read_unit(*state, "creating", false, &c, &arena);
	assert_null(c.unit.name);
	assert_int_equal(c.n_cgroups, 0);
	read_unit(*state, "creating", true, &c, &arena);
	assert_string_equal(c.unit.name, "tare-web.scope");
	assert_int_equal(c.n_cgroups, 2);
	read_unit(*state, "created", true, &c, &arena);
	assert_string_equal(c.unit.name, "tare-web.scope");
	assert_int_equal(c.n_cgroups, 2);
}

/* The first read brings a usual record whole; around that size none may be cut. */
static void test_a_record_of_any_size_is_read_whole(void **state)
{
	for (size_t len = RECORD_USUAL_BYTES - 1500; len < 5 * RECORD_USUAL_BYTES;
	     len = len < RECORD_USUAL_BYTES ? len + 1 : len + 4096) {
		defer_arena struct arena arena = { 0 };
		char *text = memset(arena_alloc(&arena, len + 1), 'x', len);
		struct key_value note = { "note", text };
		struct container c = sample(), found;
		struct record record = { 0 };
		struct err err = ERR_INIT;

		c.annotations = (struct key_value_list){ &note, 1 };
		record_render(&arena, &c, &record);
		assert_int_equal(record_write(((struct place *)*state)->dir, &record, "created",
					      getpid(), &err),
				 0);
		assert_int_equal(record_read(&arena, ((struct place *)*state)->dir, RECORD_FILE,
					     &found, &err),
				 0);
		assert_string_equal(found.annotations.items[0].value, text);
	}
}

static void put_text(struct place *place, const char *text)
{
	int fd = openat(place->dir, RECORD_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void refused(struct place *place, const char *text, const char *message)
{
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;
	struct container c;

	put_text(place, text);
	assert_int_equal(record_read(&arena, place->dir, RECORD_FILE, &c, &err), -EPROTO);
	assert_non_null(strstr(err.text, message));
	/* A place in the record is none in config.json. */
	assert_string_equal(err.pointer, "");
}

static void test_what_is_no_record_is_refused(void **state)
{
	refused(*state, "", "read the record of the container: ");
	refused(*state, "{\"version\":1", "read the record of the container: ");
	refused(*state, "{\"version\":2}", "the record has version 2, this tare-oci knows 1");
	refused(*state, "{\"version\":1,\"id\":\"web\"}", "the record is incomplete");
	refused(*state, "[]", "the record has version 0");
}

static void test_no_record_is_not_there(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;
	struct container c;

	assert_int_equal(record_read(&arena, ((struct place *)*state)->dir, RECORD_FILE, &c, &err),
			 -ENOENT);
}

/* row Z-1: a pid that somebody else has now is not the process of the record */
static void test_Z1_a_dead_pid_is_refused_by_write(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct container c = sample();
	struct record record = { 0 };
	struct err err = ERR_INIT;
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	waitpid(child, &status, 0);
	record_render(&arena, &c, &record);
	assert_int_equal(
		record_write(((struct place *)*state)->dir, &record, "created", child, &err),
		-ENOENT);
	assert_non_null(strstr(err.text, "read the start time of the container's init"));
}

/* row Z-2: who waited for the lock of a directory that is gone then must not write into it */
static void test_Z2_a_removed_directory_cannot_be_locked(void **state)
{
	struct place *place = *state;
	int second = record_dir_open(place->root, "web");

	assert_true(second >= 0);
	assert_int_equal(record_dir_lock(place->dir), 0);
	assert_int_equal(flock(second, LOCK_EX | LOCK_NB), -1);
	assert_int_equal(record_dir_remove(place->root, "web", place->dir), 0);
	record_dir_unlock(place->dir);
	assert_int_equal(record_dir_lock(second), -ENOENT);
	assert_int_equal(record_dir_open(place->root, "web"), -ENOENT);
	close(second);
}

static void test_a_creator_that_is_gone(void **state)
{
	struct container c = sample();

	c.creator_start_time = 1;
	assert_int_equal(record_creator(&c), -ESRCH);
}

static void test_root_is_made_with_what_is_above(void **state)
{
	struct place *place = *state;
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/a/b", place->root);
	assert_int_equal(record_root_make(path), 0);
	assert_int_equal(record_root_make(path), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(rmdir(path), 0);
	*strrchr(path, '/') = '\0';
	assert_int_equal(rmdir(path), 0);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(test_what_is_written_is_read),
		IN_PLACE(test_K16_Z3_a_unit_is_ours_only_once_it_was_made_for_us),
		IN_PLACE(test_a_record_of_any_size_is_read_whole),
		IN_PLACE(test_what_is_no_record_is_refused),
		IN_PLACE(test_no_record_is_not_there),
		IN_PLACE(test_Z1_a_dead_pid_is_refused_by_write),
		IN_PLACE(test_Z2_a_removed_directory_cannot_be_locked),
		IN_PLACE(test_a_creator_that_is_gone),
		IN_PLACE(test_root_is_made_with_what_is_above),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
