/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cgroup planners against golden lists of steps on each kind of host. A line is "who name arguments [@pointer]"; the
 * device rules are shortened, since tests/unit/cgroup/test_devices.c has them.
 */
#include "runtime/planners.h"

#include "../cgroup/layouts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
	struct arena arena;
	struct facts facts;
	struct create_options options;
	struct plan plan;
	struct planner_state s;
	struct err err;
};

/* @top: more members of the config; @linux_: members of linux */
static struct fixture *make(int layout, const char *top, const char *linux_)
{
	static struct fixture f;
	struct config *config;
	const char *text;

	memset(&f, 0, sizeof(f));
	f.err = ERR_INIT;
	text = arena_printf(&f.arena,
			    "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\"},\"process\":{"
			    "\"cwd\":\"/\",\"args\":[\"sh\"],"
			    "\"user\":{\"uid\":1000,\"gid\":1000}}%s%s,\"linux\":{%s}}",
			    *top ? "," : "", top, linux_);
	if (config_read(&f.arena, text, strlen(text), &config, &f.err) < 0)
		fail_msg("config_read: %s (%s)\n%s", f.err.text, f.err.pointer, text);
	f.facts = (struct facts){ .cgroup = layouts[layout] };
	f.options = (struct create_options){ .id = "web", .bundle = "/bundle", .run = true };
	f.s = (struct planner_state){
		.plan = &f.plan,
		.config = config,
		.facts = &f.facts,
		.options = &f.options,
		.slots = { SLOT_NONE, SLOT_NONE, SLOT_NONE, SLOT_NONE, SLOT_NONE, SLOT_NONE },
	};
	return &f;
}

static void done(struct fixture *f)
{
	plan_clear(&f->plan);
	arena_clear(&f->arena);
}

static const char *describe_make(struct fixture *f, const struct step *step)
{
	return arena_printf(&f->arena, "%s%s%s%s%s%s%s%s", step->u.cgroup_make.request.path,
			    step->u.cgroup_make.request.v2 ? " v2" : "",
			    *step->u.cgroup_make.request.enable ? " enable " : "",
			    step->u.cgroup_make.request.enable,
			    *step->u.cgroup_make.request.needed ? " needed " : "",
			    step->u.cgroup_make.request.needed,
			    step->u.cgroup_make.request.copy_cpus ? " cpus" : "",
			    step->u.cgroup_make.request.copy_mems ? " mems" : "");
}

static const char *describe_arguments(struct fixture *f, const struct step *step)
{
	switch (step->kind) {
	case STEP_CGROUP_MAKE:
		return describe_make(f, step);
	case STEP_CGROUP_WRITE:
		if (strncmp(step->u.cgroup_write.write.file, "devices.", 8) == 0)
			return step->u.cgroup_write.write.file;
		return arena_printf(&f->arena, "%s/%s=%s", step->u.cgroup_write.dir,
				    step->u.cgroup_write.write.file,
				    step->u.cgroup_write.write.value);
	case STEP_CGROUP_DEVICES:
		return step->u.cgroup_devices.dir;
	case STEP_CGROUP_CHOWN:
		assert_int_equal(step->u.cgroup_chown.gid, (uint32_t)-1);
		return arena_printf(&f->arena, "%s %u", step->u.cgroup_chown.dir,
				    step->u.cgroup_chown.uid);
	case STEP_CGROUP_JOIN:
		return step->u.cgroup_join.dir;
	default:
		return "";
	}
}

/* A step of this part reads the slot that the make of the same directory wrote. */
static void check_slots(const struct fixture *f)
{
	for (size_t i = 0; i < f->plan.n_steps; i++) {
		const struct step *step = &f->plan.steps[i];

		if (step->kind == STEP_CGROUP_MAKE)
			assert_true(step->out >= 0);
		else if (step->kind != STEP_CGROUP_NS)
			assert_true(step->in[0] >= 0);
	}
}

static const char *plan(struct fixture *f)
{
	static const char *const who[] = { "parent", "stage", "child", "starter" };
	const char *text = "";

	if (plan_cgroup_make(&f->s, &f->err) < 0 || plan_cgroup_join(&f->s, &f->err) < 0)
		fail_msg("planner: %s (%s)", f->err.text, f->err.pointer);
	check_slots(f);
	for (size_t i = 0; i < f->plan.n_steps; i++) {
		const struct step *step = &f->plan.steps[i];

		text = arena_printf(&f->arena, "%s%s %s %s%s%s\n", text, who[step->who],
				    step_names[step->kind], describe_arguments(f, step),
				    *step->pointer ? " @" : "", step->pointer);
	}
	return text;
}

static void expect(struct fixture *f, const char *expected)
{
	const char *got = plan(f);

	if (strcmp(got, expected) != 0)
		fail_msg("got\n%s, expected\n%s", got, expected);
	done(f);
}

#define LIMITS                                                                                     \
	"\"cgroupsPath\":\"/tare/web\",\"namespaces\":[{\"type\":\"cgroup\"}],"                    \
	"\"resources\":{\"memory\":{\"limit\":1000},\"pids\":{\"limit\":10}}"
#define PATH   " @/linux/cgroupsPath\n"
#define MEMORY " @/linux/resources/memory/limit\n"
#define PIDS   " @/linux/resources/pids/limit\n"

static void test_hybrid(void **state)
{
	struct fixture *f = make(CGROUP_HYBRID, "", LIMITS);

	expect(f,
	       "parent make-cgroup /sys/fs/cgroup/cpu/tare/web" PATH
	       "parent make-cgroup /sys/fs/cgroup/cpuset/tare/web cpus mems" PATH
	       "parent make-cgroup /sys/fs/cgroup/memory/tare/web" PATH
	       "parent make-cgroup /sys/fs/cgroup/devices/tare/web" PATH
	       "parent make-cgroup /sys/fs/cgroup/pids/tare/web" PATH
	       "parent make-cgroup /sys/fs/cgroup/unified/tare/web v2" PATH "parent write-cgroup "
	       "/sys/fs/cgroup/memory/tare/web/memory.limit_in_bytes=1000" MEMORY
	       "parent write-cgroup /sys/fs/cgroup/pids/tare/web/pids.max=10" PIDS
	       "parent write-cgroup devices.deny\n"
	       "parent write-cgroup devices.allow\n"
	       "child join-cgroup /sys/fs/cgroup/cpu/tare/web\n"
	       "child join-cgroup /sys/fs/cgroup/cpuset/tare/web\n"
	       "child join-cgroup /sys/fs/cgroup/memory/tare/web\n"
	       "child join-cgroup /sys/fs/cgroup/devices/tare/web\n"
	       "child join-cgroup /sys/fs/cgroup/pids/tare/web\n"
	       "child unshare-cgroup  @/linux/namespaces/0\n");
}

/* The child is cloned into the v2 side, so the planner leaves the directory where plan_clone() looks. */
static void test_clone_goes_into_v2(void **state)
{
	static const int with_v2[] = { CGROUP_HYBRID, CGROUP_V2 };

	for (size_t i = 0; i < ARRAY_LEN(with_v2); i++) {
		struct fixture *f = make(with_v2[i], "", LIMITS);

		plan(f);
		assert_int_equal(f->s.slots.cgroup2, f->s.cgroup_dirs[f->facts.cgroup.n - 1]);
		done(f);
	}
}

static void test_v2(void **state)
{
	struct fixture *f = make(CGROUP_V2, "", LIMITS);

	expect(f, "parent make-cgroup /sys/fs/cgroup/tare/web v2 enable +cpuset +cpu +io +memory "
		  "+hugetlb +pids +rdma +misc"
		  " needed +memory +pids" PATH
		  "parent write-cgroup /sys/fs/cgroup/tare/web/memory.max=1000" MEMORY
		  "parent write-cgroup /sys/fs/cgroup/tare/web/pids.max=10" PIDS
		  "parent attach-device-filter /sys/fs/cgroup/tare/web\n"
		  "child unshare-cgroup  @/linux/namespaces/0\n");
}

static void test_hybrid_enables_only_what_is_asked_for(void **state)
{
	struct fixture *f =
		make(CGROUP_HYBRID, "",
		     "\"resources\":{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0}]}");
	const char *got = plan(f);

	assert_non_null(
		strstr(got, "/sys/fs/cgroup/unified/web v2 enable +hugetlb needed +hugetlb\n"));
	assert_non_null(strstr(got, "/sys/fs/cgroup/unified/web/hugetlb.2MB.max=0 "
				    "@/linux/resources/hugepageLimits/0\n"));
	done(f);
}

/* Nobody could be cloned into a v2 cgroup that holds no process. */
static void test_R21_no_process_at_all_is_written_after_the_clone(void **state)
{
	struct fixture *f = make(CGROUP_V2, "", "\"resources\":{\"pids\":{\"limit\":0}}");
	size_t before;

	assert_int_equal(plan_cgroup_make(&f->s, &f->err), 0);
	before = f->plan.n_steps;
	for (size_t i = 0; i < before; i++)
		assert_int_not_equal(f->plan.steps[i].kind, STEP_CGROUP_WRITE);
	assert_int_equal(plan_cgroup_join(&f->s, &f->err), 0);
	assert_int_equal(f->plan.steps[before].kind, STEP_CGROUP_WRITE);
	assert_int_equal(f->plan.steps[before].who, STEP_PARENT);
	assert_string_equal(f->plan.steps[before].u.cgroup_write.write.value, "0");
	done(f);
}

/* ---- a config that says nothing ---------------------------------------------------------------------------------- */

static void test_one_cgroup_where_nothing_is_said(void **state)
{
	expect(make(CGROUP_HYBRID, "", ""), "parent make-cgroup /sys/fs/cgroup/unified/web v2\n");
	expect(make(CGROUP_V1, "", ""), "parent make-cgroup /sys/fs/cgroup/freezer/web\n"
					"child join-cgroup /sys/fs/cgroup/freezer/web\n");
	expect(make(CGROUP_V2, "", ""), "parent make-cgroup /sys/fs/cgroup/web v2\n");
}

static void test_what_counts_as_said(void **state)
{
	static const char *const top[] = {
		("\"mounts\":[{\"destination\":\"/sys/fs/"
		 "cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\"}]"),
		"",
		"",
		"",
	};
	static const char *const linux_[] = {
		"",
		"\"cgroupsPath\":\"a\"",
		"\"resources\":{}",
		"\"namespaces\":[{\"type\":\"cgroup\"}]",
	};

	for (size_t i = 0; i < ARRAY_LEN(top); i++) {
		struct fixture *f = make(CGROUP_HYBRID, top[i], linux_[i]);

		plan(f);
		for (size_t k = 0; k < f->facts.cgroup.n; k++)
			assert_non_null(f->s.cgroup_paths[k]);
		done(f);
	}
}

static void test_without_a_hierarchy(void **state)
{
	struct fixture *f = make(CGROUP_NONE, "", "\"cgroupsPath\":\"/a\"");

	assert_string_equal(plan(f), "");
	assert_int_equal(f->plan.warnings.n, 1);
	assert_int_equal(f->plan.ignored.n, 1);
	assert_string_equal(f->plan.ignored.items[0].pointer, "/linux/cgroupsPath");
	done(f);

	f = make(CGROUP_NONE, "", "\"resources\":{\"pids\":{\"limit\":1}}");
	assert_int_equal(plan_cgroup_make(&f->s, &f->err), -EINVAL);
	assert_string_equal(f->err.pointer, "/linux/resources/pids/limit");
	done(f);
}

static void test_notes_are_ignored_entries(void **state)
{
	struct fixture *f = make(CGROUP_V2, "", "\"resources\":{\"memory\":{\"limit\":0}}");

	plan(f);
	assert_int_equal(f->plan.ignored.n, 1);
	assert_string_equal(f->plan.ignored.items[0].pointer, "/linux/resources/memory/limit");
	assert_string_equal(f->plan.ignored.items[0].why, "0 asks for no limit");
	done(f);
}

static void test_G4_systemd_form_is_warned_of(void **state)
{
	static const struct {
		const char *linux_;
		size_t warnings;
	} rows[] = {
		{ "\"cgroupsPath\":\"system.slice:tare:web\"", 1 },
		{ "\"cgroupsPath\":\"/a:b:c\"", 0 },
		{ "\"cgroupsPath\":\"a:b\"", 0 },
		{ "", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture *f = make(CGROUP_V2, "", rows[i].linux_);

		plan(f);
		assert_int_equal(f->plan.warnings.n, rows[i].warnings);
		done(f);
	}
}

/* A caller in a cgroup of its own manager's; the unit is beside it, not below what else it may use. */
static struct fixture *make_user(const char *own_path, bool closed)
{
	static struct cgroup_hierarchy hierarchy;
	struct fixture *f = make(CGROUP_V2, "", "\"cgroupsPath\":\":tare:web\"");

	hierarchy = f->facts.cgroup.items[0];
	hierarchy.own_path = own_path;
	hierarchy.base =
		closed ? own_path : "/user.slice/user-1000.slice/user@1000.service/app.slice";
	hierarchy.closed = closed;
	f->facts.cgroup.items = &hierarchy;
	f->facts.cgroup.narrow = f->facts.rootless = f->facts.systemd = true;
	f->facts.euid = 1000;
	f->options.cgroups = CGROUPS_SYSTEMD;
	return f;
}

static void test_Q3_unit_of_a_user_is_where_his_manager_makes_it(void **state)
{
	static const char own[] = "/user.slice/user-1000.slice/user@1000.service/app.slice/a.scope";
	struct fixture *f = make_user(own, false);
	const char *path = "";

	assert_int_equal(plan_cgroup_make(&f->s, &f->err), 0);
	for (size_t i = 0; i < f->plan.n_steps; i++) {
		const struct step *step = &f->plan.steps[i];

		if (step->kind == STEP_UNIT_START)
			assert_true(step->u.unit_start.unit.user);
		if (step->kind == STEP_CGROUP_MAKE)
			path = step->u.cgroup_make.request.path;
	}
	assert_string_equal(path, "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service"
				  "/user.slice/tare-web.scope");
	done(f);
}

static void test_Q3_user_outside_of_his_manager_is_told_so(void **state)
{
	struct fixture *f = make_user("/user.slice/user-1000.slice/session-1.scope", true);

	assert_int_equal(plan_cgroup_make(&f->s, &f->err), -EACCES);
	assert_string_equal(f->err.text,
			    "make cgroups with systemd: uid 1000's own manages no cgroup "
			    "that this runtime is in");
	assert_string_equal(f->err.hint, "systemd-run --user --scope starts it in one");
	done(f);
}

static void test_refused_path(void **state)
{
	struct fixture *f = make(CGROUP_V2, "", "\"cgroupsPath\":\"/../a\"");

	assert_int_equal(plan_cgroup_make(&f->s, &f->err), -EINVAL);
	assert_string_equal(f->err.pointer, "/linux/cgroupsPath");
	done(f);
}

/* ---- ownership -------------------------------------------------------------------------------------------------- */

#define CGROUP_MOUNT(options)                                                                      \
	"\"mounts\":[{\"destination\":\"/sys/fs/"                                                  \
	"cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\",\"options\":[" options "]}]"
#define NEW_NS "\"namespaces\":[{\"type\":\"cgroup\"},{\"type\":\"mount\"}]"
#define USER_NS                                                                                    \
	"\"namespaces\":[{\"type\":\"cgroup\"},{\"type\":\"mount\"},{\"type\":\"user\"}],"         \
	"\"uidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536}],"                  \
	"\"gidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536}]"

static const struct {
	int layout;
	const char *top, *linux_;
	const char *chown; /* NULL: the owner stays */
} owners[] = {
	{ CGROUP_V2, CGROUP_MOUNT("\"rw\""), NEW_NS,
	  "attach-device-filter /sys/fs/cgroup/web\n"
	  "parent delegate-cgroup /sys/fs/cgroup/web 1000 @/mounts/0\n" },
	{ CGROUP_V2, CGROUP_MOUNT(""), USER_NS,
	  "parent delegate-cgroup /sys/fs/cgroup/web 101000 @/mounts/0\n" },
	{ CGROUP_V2, CGROUP_MOUNT("\"ro\""), NEW_NS, NULL },
	{ CGROUP_V2, CGROUP_MOUNT("\"rw\""), "\"namespaces\":[{\"type\":\"mount\"}]", NULL },
	{ CGROUP_V2, CGROUP_MOUNT("\"rw\""),
	  "\"namespaces\":[{\"type\":\"cgroup\",\"path\":\"/proc/1/ns/cgroup\"}]", NULL },
	{ CGROUP_V2, "", NEW_NS, NULL },
	{ CGROUP_V2,
	  "\"mounts\":[{\"destination\":\"/cg\",\"type\":\"cgroup\",\"source\":\"cgroup\"}]",
	  NEW_NS, NULL },
	{ CGROUP_V2,
	  "\"mounts\":[{\"destination\":\"/sys/fs/"
	  "cgroup\",\"type\":\"cgroup\",\"source\":\"none\"}]",
	  NEW_NS, NULL },
	{ CGROUP_V1, CGROUP_MOUNT("\"rw\""), NEW_NS, NULL },
	{ CGROUP_HYBRID, CGROUP_MOUNT("\"rw\""), NEW_NS, NULL },
};

static void test_G7_ownership(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
		struct fixture *f = make(owners[i].layout, owners[i].top, owners[i].linux_);
		const char *got = plan(f);

		if (owners[i].chown ? !strstr(got, owners[i].chown)
				    : strstr(got, "delegate-cgroup") != NULL)
			fail_msg("row %zu:\n%s", i, got);
		done(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hybrid),
		cmocka_unit_test(test_clone_goes_into_v2),
		cmocka_unit_test(test_v2),
		cmocka_unit_test(test_hybrid_enables_only_what_is_asked_for),
		cmocka_unit_test(test_R21_no_process_at_all_is_written_after_the_clone),
		cmocka_unit_test(test_one_cgroup_where_nothing_is_said),
		cmocka_unit_test(test_what_counts_as_said),
		cmocka_unit_test(test_without_a_hierarchy),
		cmocka_unit_test(test_notes_are_ignored_entries),
		cmocka_unit_test(test_G4_systemd_form_is_warned_of),
		cmocka_unit_test(test_Q3_unit_of_a_user_is_where_his_manager_makes_it),
		cmocka_unit_test(test_Q3_user_outside_of_his_manager_is_told_so),
		cmocka_unit_test(test_refused_path),
		cmocka_unit_test(test_G7_ownership),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
