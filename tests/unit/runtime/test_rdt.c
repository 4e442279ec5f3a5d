/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel RDT without the hardware (simulated): a directory stands for resctrl, and mkdir, rmdir and write are ours, so that a
 * new group is filled as the kernel would, and what is written to schemata is seen and can be refused.
 */
#include "plan_fixture.h"

#include "os/process.h"
#include "runtime/act.h"
#include "runtime/cleanup.h"
#include "runtime/rdt.h"
#include "runtime/record.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FRESH "    MB:0=100;1=100\n    L3:0=7ff;1=7ff\n"

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __real_rmdir(const char *path);
int __wrap_rmdir(const char *path);
ssize_t __real_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len);

static char root[64], written[4096];
static int calls,
	fail_at =
		-1; /* of mkdir and of write to resctrl: how many there were, and which is to fail */

static const char *at(const char *name)
{
	static char path[4][256];
	static int next;
	char *out = path[next = (next + 1) % 4];

	snprintf(out, sizeof(path[0]), "%s%s", root, name);
	return out;
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(__real_write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static bool is_there(const char *name)
{
	return access(at(name), F_OK) == 0;
}

/* A sanitizer's runtime that is linked in makes these calls too, when it is not ready itself. */
#define BEFORE_SANITIZER __attribute__((no_sanitize("address"), no_sanitize("undefined")))

/* ---- the kernel ------------------------------------------------------------------------------------------------- */

static const char *const files[] = { "schemata", "tasks" };

static bool is_to_fail(void)
{
	errno = EIO;
	return calls++ == fail_at;
}

BEFORE_SANITIZER int __wrap_mkdir(const char *path, mode_t mode)
{
	char file[300];

	if (!root[0])
		return __real_mkdir(path, mode);
	if (is_to_fail() || __real_mkdir(path, mode) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(file, sizeof(file), "%s/%s", path, files[i]);
		put(file, i == 0 ? FRESH : "");
	}
	snprintf(file, sizeof(file), "%s/mon_groups", path);
	return strstr(path, "mon_groups") ? 0 : __real_mkdir(file, 0755);
}

BEFORE_SANITIZER int __wrap_rmdir(const char *path)
{
	char file[300];

	if (!root[0])
		return __real_rmdir(path);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(file, sizeof(file), "%s/%s", path, files[i]);
		unlink(file);
	}
	snprintf(file, sizeof(file), "%s/mon_groups", path);
	(void)!__real_rmdir(file);
	return __real_rmdir(path);
}

/* Which file it was: "gold/schemata<L3:0=f\n" */
BEFORE_SANITIZER ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	char link[64], path[256] = "";
	size_t used;

	if (!root[0])
		return __real_write(fd, buf, len);
	used = strlen(written);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, path, sizeof(path) - 1) < 0 || strncmp(path, root, strlen(root)) != 0)
		return __real_write(fd, buf, len);
	if (is_to_fail())
		return -1;
	snprintf(written + used, sizeof(written) - used, "%s<%.*s", path + strlen(root) + 1,
		 (int)len, (const char *)buf);
	if (memmem(buf, len, "L9", 2)) {
		errno = EINVAL;
		return -1;
	}
	return (ssize_t)len;
}

static int set_up(void **state)
{
	strcpy(root, "/tmp/tare-rdt-XXXXXX");
	written[0] = '\0';
	fail_at = -1;
	if (!mkdtemp(root) || __real_mkdir(at("/info"), 0755) < 0 ||
	    __real_mkdir(at("/mon_groups"), 0755) < 0)
		return -1;
	put(at("/schemata"), FRESH);
	put(at("/tasks"), "");
	put(at("/info/last_cmd_status"), "unknown schema name 'L9'\n");
	return 0;
}

static int tear_down(void **state)
{
	unlink(at("/info/last_cmd_status"));
	(void)__real_rmdir(at("/info"));
	return __wrap_rmdir(root);
}

/* ---- what the config means -------------------------------------------------------------------------------------- */

static const struct {
	const char *config, *group, *monitor, *lines;
	enum rdt_wish wish;
} meanings[] = {
	{ "", "/r/web", NULL, "", RDT_MAKE },
	{ "\"l3CacheSchema\":\"L3:0=f\"", "/r/web", NULL, "L3:0=f\n", RDT_MAKE },
	{ "\"closID\":\"gold\"", "/r/gold", NULL, "", RDT_JOIN },
	{ "\"closID\":\"/\"", "/r", NULL, "", RDT_JOIN },
	{ "\"closID\":\"/\",\"enableMonitoring\":true", "/r", "/r/mon_groups/web", "", RDT_JOIN },
	{ "\"closID\":\"gold\",\"memBwSchema\":\"MB:0=20\"", "/r/gold", NULL, "MB:0=20\n",
	  RDT_MATCH },
	{ "\"schemata\":[\"L2:0=3\",\"MB:0=9\"],\"memBwSchema\":\"MB:0=20\","
	  "\"l3CacheSchema\":\"L3:0=f\\nL3CODE:1=3\\n\",\"enableMonitoring\":true",
	  "/r/web", "/r/web/mon_groups/web", "L3:0=f\nL3CODE:1=3\nMB:0=20\nL2:0=3\nMB:0=9\n",
	  RDT_MAKE },
};

static void test_I3_I4_I5_I7_I8_I12_what_a_config_means(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
		struct fixture *f;
		char top[512];
		const struct config_intel_rdt *rdt;
		const char *group, *monitor;

		snprintf(top, sizeof(top), "\"linux\":{\"intelRdt\":{%s}}", meanings[i].config);
		f = make("", top);
		rdt = &f->s.config->linux_.intel_rdt;
		group = rdt_group(&f->arena, "/r", rdt, "web");
		monitor = rdt_monitor(&f->arena, group, rdt, "web");
		assert_int_equal(rdt_wish(rdt), meanings[i].wish);
		assert_string_equal(group, meanings[i].group);
		assert_string_equal(rdt_lines(&f->arena, rdt), meanings[i].lines);
		assert_int_equal(monitor != NULL, meanings[i].monitor != NULL);
		if (monitor)
			assert_string_equal(monitor, meanings[i].monitor);
		done(f);
	}
}

static const struct {
	const char *lines, *schemata, *differs; /* NULL: they match */
} pairs[] = {
	{ "", FRESH, NULL },
	{ "L3:0=7ff;1=7ff\n", FRESH, NULL },
	{ "L3:1=0007FF\nMB:0=100\n", FRESH, NULL },
	{ "L3:0=f\n", FRESH, "L3:0=f" },
	{ "L3:0=7ff;1=1\n", FRESH, "1=1" },
	{ "L3:2=7ff\n", FRESH, "L3:2=7ff" },
	{ "L2:0=7ff\n", FRESH, "L2:0=7ff" },
	/* 100 is decimal for bandwidth, and a mask elsewhere */
	{ "MB:0=100\n", "MB:0= 100;1=  20\n", NULL },
	{ "MB:1=20\n", "MB:0= 100;1=  20\n", NULL },
	{ "L3:0=100\n", "L3:0=256\n", "L3:0=100" },
	/* the last word counts */
	{ "MB:0=20\nMB:0=100\n", FRESH, NULL },
	{ "MB:0=100\nMB:0=20\n", FRESH, "MB:0=20" },
	{ "MB:0=20;1=100\nMB:0=100\n", FRESH, NULL },
	{ "L3CODE:0=f\n", "L3DATA:0=f\nL3CODE:0=f\n", NULL },
	{ "what?\n", FRESH, "what?" },
	{ "L3:0\n", FRESH, "L3:0" },
};

static void test_I4_comparing_with_what_is_there(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		const char *where = NULL;
		bool same = rdt_matches(pairs[i].lines, pairs[i].schemata, &where);

		if (same != !pairs[i].differs)
			fail_msg("%s against %s", pairs[i].lines, pairs[i].schemata);
		if (!same && strncmp(where, pairs[i].differs, strlen(pairs[i].differs)) != 0)
			fail_msg("%s: differs at %s", pairs[i].lines, where);
	}
}

/* ---- groups ----------------------------------------------------------------------------------------------------- */

static int open_group(const char *name, enum rdt_wish wish, const char *lines, bool *made,
		      struct err *err)
{
	int fd;

	*made = false;
	*err = ERR_INIT;
	fd = rdt_open(at(name), wish, lines, made, err);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static void test_I3_I8_a_group_of_its_own(void **state)
{
	struct err err;
	bool made;

	assert_int_equal(open_group("/web", RDT_MAKE, "L3:0=f\nMB:0=20\n", &made, &err), 0);
	assert_true(made);
	assert_string_equal(written, "web/schemata<L3:0=f\nweb/schemata<MB:0=20\n");
	assert_int_equal(open_group("/web", RDT_MAKE, "", &made, &err), -EEXIST);
	assert_non_null(strstr(err.text, "it is there already"));
	assert_true(is_there("/web"));
	assert_int_equal(rdt_remove(at("/web"), &err), 0);
	assert_false(is_there("/web"));
	assert_int_equal(rdt_remove(at("/web"), &err), 0);
}

static void test_I8_what_the_kernel_refuses_is_said_and_undone(void **state)
{
	struct err err;
	bool made;

	assert_int_equal(open_group("/web", RDT_MAKE, "L9:0=f\n", &made, &err), -EINVAL);
	assert_non_null(strstr(err.text, "write \"L9:0=f\" to \""));
	assert_non_null(strstr(err.hint, "the kernel says: unknown schema name 'L9'"));
	assert_false(made);
	assert_false(is_there("/web"));
}

static void test_I4_a_shared_group_is_made_or_must_match(void **state)
{
	struct err err;
	bool made;

	assert_int_equal(open_group("/gold", RDT_MATCH, "L3:0=7ff\n", &made, &err), 0);
	assert_true(made);
	assert_int_equal(open_group("/gold", RDT_MATCH, "L3:0=7ff\n", &made, &err), 0);
	assert_false(made);
	assert_int_equal(open_group("/gold", RDT_MATCH, "MB:0=100\nL3:0=1\n", &made, &err),
			 -EEXIST);
	assert_non_null(
		strstr(err.text, "it is there already and differs from the config at \"L3:0=1\""));
	assert_non_null(strstr(err.hint, "schemata` shows what is in force"));
	assert_string_equal(written, "gold/schemata<L3:0=7ff\n");
	assert_int_equal(rdt_remove(at("/gold"), &err), 0);
}

static void test_I5_I7_a_group_that_is_joined_must_be_there(void **state)
{
	struct err err;
	bool made;

	assert_int_equal(open_group("/gold", RDT_JOIN, "", &made, &err), -ENOENT);
	assert_non_null(strstr(err.text, "it does not exist"));
	assert_non_null(strstr(err.hint, "give closID a schema"));
	assert_false(is_there("/gold"));
	assert_int_equal(open_group("", RDT_JOIN, "", &made, &err), 0);
	assert_false(made);
}

static void test_update_takes_back_just_what_it_changes(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;
	const char *before;
	int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(rdt_before(&arena, dir, root, "L3:1=f\n", &before, &err), 0);
	assert_string_equal(before, "L3:0=7ff;1=7ff\n");
	assert_int_equal(rdt_before(&arena, dir, root, "MB:0=9\nL2:0=1\n", &before, &err), 0);
	assert_string_equal(before, "MB:0=100;1=100\n");
	close(dir);
}

/* ---- a start ---------------------------------------------------------------------------------------------------- */

#define RDT_TOP "\"linux\":{\"intelRdt\":{\"memBwSchema\":\"MB:0=20\",\"enableMonitoring\":true}}"

/* Return: the step that failed, or NULL */
static const struct step *try_all(struct act *a, struct fixture *f, int *fds)
{
	static step_fn *const acts[STEP_KIND_COUNT] = { [STEP_RDT_GROUP] = step_rdt_group,
							[STEP_RDT_MONITOR] = step_rdt_monitor,
							[STEP_RDT_JOIN] = step_rdt_join };

	act_init(a, &f->plan, &f->options, fds);
	for (size_t i = 0; i < f->plan.n_steps; i++) {
		const struct step *step = &f->plan.steps[i];

		if (acts[step->kind](a, step, &f->err) < 0)
			return step;
	}
	return NULL;
}

static void act_all(struct act *a, struct fixture *f, int *fds)
{
	const struct step *failed = try_all(a, f, fds);

	if (failed)
		fail_msg("%s: %s", step_names[failed->kind], f->err.text);
}

static void test_I2_I12_the_child_joins_the_class_then_the_monitor(void **state)
{
	struct fixture *f = make("", RDT_TOP);
	struct act a;
	int fds[8];

	f->facts.resctrl = root;
	run(f, plan_rdt);
	run(f, plan_rdt_join);
	assert_string_equal(kinds(f), "p:make-rdt-group p:make-rdt-monitor c:join-rdt-group "
				      "c:join-rdt-group");
	act_all(&a, f, fds);
	assert_string_equal(written, "web/schemata<MB:0=20\nweb/tasks<0web/mon_groups/web/tasks<0");
	undo_rdt_monitor(&a, &f->plan.steps[1]);
	assert_false(is_there("/web/mon_groups/web"));
	undo_rdt_group(&a, &f->plan.steps[0]);
	assert_false(is_there("/web"));
	done(f);
}

/* What must be told of each call that fails, in their order. */
static const struct {
	enum step_kind kind;
	const char *text; /* a %s is where resctrl is */
} failures[] = {
	{ STEP_RDT_GROUP, "make class of service \"%s/web\"" },
	{ STEP_RDT_GROUP, "write \"MB:0=20\" to \"%s/web/schemata\"" },
	{ STEP_RDT_MONITOR, "make monitoring group \"%s/web/mon_groups/web\"" },
	{ STEP_RDT_JOIN, "join \"%s/web\" of resctrl" },
	{ STEP_RDT_JOIN, "join \"%s/web/mon_groups/web\" of resctrl" },
};

static void fail_once(size_t which)
{
	struct fixture *f = make("", RDT_TOP);
	const struct step *failed;
	char expected[300];
	struct act a;
	int fds[8];

	f->facts.resctrl = root;
	run(f, plan_rdt);
	run(f, plan_rdt_join);
	calls = 0;
	fail_at = (int)which;
	failed = try_all(&a, f, fds);
	fail_at = -1;
	if (which == ARRAY_LEN(failures)) {
		assert_null(failed);
	} else {
		assert_non_null(failed);
		assert_int_equal(failed->kind, failures[which].kind);
		assert_int_equal(f->err.code, -EIO);
		snprintf(expected, sizeof(expected), failures[which].text, root);
		assert_non_null(strstr(f->err.text, expected));
	}
	undo_rdt_monitor(&a, &f->plan.steps[1]);
	undo_rdt_group(&a, &f->plan.steps[0]);
	assert_false(is_there("/web"));
	done(f);
}

static void test_I8_Y16_each_call_that_fails_is_told_and_undone(void **state)
{
	for (size_t i = 0; i <= ARRAY_LEN(failures); i++)
		fail_once(i);
}

static void test_I6_undo_leaves_what_was_there(void **state)
{
	struct fixture *f = make("", "\"linux\":{\"intelRdt\":{\"closID\":\"gold\"}}");
	struct err err = ERR_INIT;
	struct act a;
	int fds[8];

	assert_int_equal(__wrap_mkdir(at("/gold"), 0755), 0);
	f->facts.resctrl = root;
	run(f, plan_rdt);
	run(f, plan_rdt_join);
	act_all(&a, f, fds);
	undo_rdt_group(&a, &f->plan.steps[0]);
	assert_true(is_there("/gold"));
	assert_int_equal(rdt_remove(at("/gold"), &err), 0);
	done(f);
}

static void test_I1_without_the_object_nothing_happens(void **state)
{
	struct fixture *f = make("", "\"linux\":{\"intelRdt\":null}");
	struct enter_input enter = { .rdt = { .group = NULL } };

	f->facts.resctrl = root;
	f->s.enter = &enter;
	run(f, plan_rdt);
	run(f, plan_rdt_join);
	run(f, plan_rdt_enter);
	assert_int_equal(f->plan.n_steps, 0);
	assert_int_equal(facts_needed(f->s.config) & FACTS_RDT, 0);
	done(f);
}

static void test_I2_exec_goes_there_by_path(void **state)
{
	struct fixture *f = make("", RDT_TOP);
	struct enter_input enter = { .rdt = { .group = root } };
	struct act a;
	int fds[8];

	f->s.enter = &enter;
	run(f, plan_rdt_enter);
	assert_string_equal(kinds(f), "s:join-rdt-group");
	act_all(&a, f, fds);
	assert_string_equal(written, "tasks<0");
	done(f);
}

static void test_I3_I6_I12_delete_removes_only_its_own(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;
	bool made;
	struct container c = { .rdt = { .own = true } };

	assert_int_equal(open_group("/web", RDT_MAKE, "", &made, &err), 0);
	assert_int_equal(rdt_open_monitor(at("/web/mon_groups/web"), &err) >= 0, 1);
	c.rdt.group = arena_strdup(&arena, at("/web"));
	c.rdt.monitor = arena_strdup(&arena, at("/web/mon_groups/web"));
	c.rdt.own = false;
	assert_int_equal(cleanup_rdt(&c, &err), 0);
	assert_true(is_there("/web"));
	assert_false(is_there("/web/mon_groups/web"));
	c.rdt.own = true;
	assert_int_equal(cleanup_rdt(&c, &err), 0);
	assert_false(is_there("/web"));
}

/* ---- facts ------------------------------------------------------------------------------------------------------ */

static void test_I2_where_it_is_mounted(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;
	struct facts facts;

	assert_int_equal(__real_mkdir(at("/proc"), 0755), 0);
	assert_int_equal(__real_mkdir(at("/proc/self"), 0755), 0);
	put(at("/proc/self/mountinfo"),
	    "22 1 0:20 / / rw - ext4 /dev/vda rw\n"
	    "23 22 0:21 / /sys/fs/resctrl rw,nosuid - resctrl resctrl rw,cdp\n"
	    "24 22 0:22 / /mnt/re\\040sctrl rw - resctrl resctrl rw\n");
	assert_int_equal(facts_read_parts(&arena, root, FACTS_RDT, &facts, &err), 0);
	assert_string_equal(facts.resctrl, "/mnt/re sctrl");
	put(at("/proc/self/mountinfo"), "22 1 0:20 / / rw - ext4 /dev/vda rw\n");
	assert_int_equal(facts_read_parts(&arena, root, FACTS_RDT, &facts, &err), 0);
	assert_null(facts.resctrl);
	unlink(at("/proc/self/mountinfo"));
	(void)__real_rmdir(at("/proc/self"));
	(void)__real_rmdir(at("/proc"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_I3_I4_I5_I7_I8_I12_what_a_config_means),
		cmocka_unit_test(test_I4_comparing_with_what_is_there),
		TEST(test_I3_I8_a_group_of_its_own),
		TEST(test_I8_what_the_kernel_refuses_is_said_and_undone),
		TEST(test_I4_a_shared_group_is_made_or_must_match),
		TEST(test_I5_I7_a_group_that_is_joined_must_be_there),
		TEST(test_update_takes_back_just_what_it_changes),
		TEST(test_I2_I12_the_child_joins_the_class_then_the_monitor),
		TEST(test_I8_Y16_each_call_that_fails_is_told_and_undone),
		TEST(test_I6_undo_leaves_what_was_there),
		TEST(test_I1_without_the_object_nothing_happens),
		TEST(test_I2_exec_goes_there_by_path),
		TEST(test_I3_I6_I12_delete_removes_only_its_own),
		TEST(test_I2_where_it_is_mounted),
	};

	return cmocka_run_group_tests_name("rdt", tests, NULL, NULL);
}
