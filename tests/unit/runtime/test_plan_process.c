/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process planners: which steps, in which order, by whom; capabilities. */
#include "runtime/plan_fixture.h"

#include <linux/seccomp.h>
#include <signal.h>
#include <sys/resource.h>

/* ---- order ------------------------------------------------------------------------------------------------------ */

static void test_order_without_anything(void **state)
{
	struct fixture *f = make("", "");

	run(f, plan_process);
	assert_string_equal(
		kinds(f), "c:set-home c:change-directory c:close-fds c:drop-bounding-set c:set-ids "
			  "c:set-capabilities c:change-directory c:execute");
	done(f);
}

static void test_order_with_everything(void **state)
{
	struct fixture *f = make(
		"\"env\":[\"HOME=/x\"],\"noNewPrivileges\":true,"
		"\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":3,\"hard\":4}],"
		"\"scheduler\":{\"policy\":\"SCHED_BATCH\",\"nice\":5},"
		"\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":4}",
		"\"linux\":{\"personality\":{\"domain\":\"LINUX32\"},\"seccomp\":" ALLOW_ALL ","
		"\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"0-2,5\"}}");

	run(f, plan_process);
	assert_string_equal(
		kinds(f),
		"c:change-directory c:set-personality c:set-memory-policy c:set-scheduler "
		"c:set-io-priority c:set-rlimit c:close-fds c:drop-bounding-set c:set-ids "
		"c:set-capabilities c:change-directory c:set-no-new-privs c:load-seccomp "
		"c:execute");
	assert_int_equal(find(f, STEP_MEMORY_POLICY)->u.memory_policy.nodes[0], 0x27);
	assert_true(find(f, STEP_MEMORY_POLICY)->u.memory_policy.max_node > 6);
	assert_int_equal(find(f, STEP_RLIMIT)->u.rlimit.resource, RLIMIT_NOFILE);
	assert_false(find(f, STEP_RLIMIT)->u.rlimit.only_raise);
	done(f);
}

/* without no_new_privs the filter needs CAP_SYS_ADMIN, which goes away under the filter. */
static void test_filter_without_no_new_privs(void **state)
{
	struct fixture *f =
		make("\"capabilities\":{\"effective\":[\"CAP_KILL\"],\"permitted\":[\"CAP_KILL\"],"
		     "\"bounding\":[\"CAP_KILL\"]}",
		     "\"linux\":{\"seccomp\":" ALLOW_ALL "}");

	run(f, plan_process);
	assert_non_null(strstr(kinds(f), "c:set-capabilities c:change-directory c:load-seccomp "
					 "c:set-capabilities c:execute"));
	assert_int_equal(find_nth(f, STEP_CAPABILITIES, 0)->u.capabilities.effective,
			 CAP(CAP_KILL) | CAP(CAP_SYS_ADMIN));
	assert_int_equal(find_nth(f, STEP_CAPABILITIES, 1)->u.capabilities.effective,
			 CAP(CAP_KILL));
	assert_int_equal(find_nth(f, STEP_CAPABILITIES, 1)->u.capabilities.permitted,
			 CAP(CAP_KILL));
	assert_false(find_nth(f, STEP_CAPABILITIES, 1)->u.capabilities.with_ambient);
	assert_int_equal(find(f, STEP_BOUNDING)->u.bounding.keep, CAP(CAP_KILL));
	done(f);
}

static void test_filter_of_a_container_that_keeps_sys_admin(void **state)
{
	struct fixture *f = make("\"capabilities\":{\"effective\":[\"CAP_SYS_ADMIN\"],"
				 "\"permitted\":[\"CAP_SYS_ADMIN\"],"
				 "\"bounding\":[\"CAP_SYS_ADMIN\"]}",
				 "\"linux\":{\"seccomp\":" ALLOW_ALL "}");

	run(f, plan_process);
	assert_non_null(
		strstr(kinds(f), "c:set-capabilities c:change-directory c:load-seccomp c:execute"));
	done(f);
}

static void test_filter_that_the_runtime_may_not_load(void **state)
{
	struct fixture *f = make("", "\"linux\":{\"seccomp\":" ALLOW_ALL "}");

	f->facts.capabilities &= ~CAP(CAP_SYS_ADMIN);
	assert_true(plan_process(&f->s, &f->err) < 0);
	assert_string_equal(f->err.text,
			    "load a seccomp filter without noNewPrivileges: that needs "
			    "CAP_SYS_ADMIN, which the runtime lacks");
	assert_string_equal(f->err.pointer, "/process/noNewPrivileges");
	done(f);

	f = make("\"noNewPrivileges\":true", "\"linux\":{\"seccomp\":" ALLOW_ALL "}");
	f->facts.capabilities &= ~CAP(CAP_SYS_ADMIN);
	run(f, plan_process);
	done(f);
}

static void test_seccomp_flags(void **state)
{
	struct fixture *f = make("", "\"linux\":{\"seccomp\":" ALLOW_ALL "}");

	run(f, plan_process);
	assert_int_equal(find(f, STEP_SECCOMP)->u.seccomp.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	done(f);
	f = make("", "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[]}}");
	run(f, plan_process);
	assert_int_equal(find(f, STEP_SECCOMP)->u.seccomp.flags, 0);
	done(f);
}

static void test_stdio_only_for_other_ids(void **state)
{
	struct fixture *f = make("", "");

	run(f, plan_process);
	assert_null(strstr(kinds(f), "own-stdio"));
	done(f);
	f = make("", USER_NS);
	run(f, plan_process);
	assert_non_null(strstr(kinds(f), "c:own-stdio"));
	done(f);
}

/* ---- who -------------------------------------------------------------------------------------------------------- */

#define LIMITS                                                                                     \
	"\"oomScoreAdj\":0,\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":1,\"hard\":2}],"        \
	"\"scheduler\":{\"policy\":\"SCHED_FIFO\",\"priority\":1}"

static void test_child_sets_limits_without_user_namespace(void **state)
{
	struct fixture *f = make(LIMITS, "");

	run(f, plan_limits);
	assert_string_equal(kinds(f), "c:reset-cpu-affinity c:write-oom-score-adj");
	assert_int_equal(find(f, STEP_OOM_SCORE_ADJ)->in[0], 7);
	run(f, plan_scheduling);
	assert_int_equal(f->plan.n_steps, 2);
	done(f);
}

static void test_parent_sets_limits_with_user_namespace(void **state)
{
	struct fixture *f = make(LIMITS, USER_NS);

	run(f, plan_limits);
	assert_string_equal(kinds(f), "c:reset-cpu-affinity p:set-rlimit p:write-oom-score-adj");
	assert_true(find(f, STEP_RLIMIT)->u.rlimit.only_raise);
	assert_string_equal(find(f, STEP_RLIMIT)->pointer, "/process/rlimits/0");
	run(f, plan_scheduling);
	assert_string_equal(
		kinds(f),
		"c:reset-cpu-affinity p:set-rlimit p:write-oom-score-adj p:set-scheduler");
	run(f, plan_process);
	assert_null(strstr(kinds(f), "c:set-scheduler"));
	assert_non_null(strstr(kinds(f), "c:set-rlimit"));
	done(f);
}

static void test_absent_oom_score_adj_is_left_alone(void **state)
{
	struct fixture *f = make("", "");

	run(f, plan_limits);
	assert_string_equal(kinds(f), "c:reset-cpu-affinity");
	done(f);
}

static void test_session(void **state)
{
	struct fixture *f = make("", "\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]}");

	run(f, plan_session);
	assert_string_equal(kinds(f), "c:new-session c:reset-signals c:join-session-keyring");
	assert_string_equal(find(f, STEP_KEYRING)->u.keyring.name, "_ses.web");
	done(f);

	f = make("", "");
	f->options.no_new_keyring = true;
	run(f, plan_session);
	assert_string_equal(kinds(f), "c:new-session c:forbid-tracing c:reset-signals");
	done(f);
}

/* ---- capabilities ----------------------------------------------------------------------------------------------- */

static void test_capabilities_absent_are_empty(void **state)
{
	struct fixture *f = make("", "");

	run(f, plan_process);
	assert_int_equal(find(f, STEP_BOUNDING)->u.bounding.keep, 0);
	assert_int_equal(find(f, STEP_CAPABILITIES)->u.capabilities.permitted, 0);
	assert_int_equal(f->plan.warnings.n, 0);
	done(f);
}

static void test_capability_that_the_runtime_lacks(void **state)
{
	struct fixture *f =
		make("\"capabilities\":{\"bounding\":[\"CAP_KILL\",\"CAP_SYS_RESOURCE\"],"
		     "\"permitted\":[\"CAP_KILL\",\"CAP_SYS_RESOURCE\"],\"effective\":[\"CAP_SYS_"
		     "RESOURCE\"]}",
		     "");

	f->facts.capabilities &= ~CAP(CAP_SYS_RESOURCE);
	run(f, plan_process);
	assert_int_equal(find(f, STEP_BOUNDING)->u.bounding.keep, CAP(CAP_KILL));
	assert_int_equal(find(f, STEP_CAPABILITIES)->u.capabilities.effective, 0);
	assert_int_equal(f->plan.warnings.n, 1);
	assert_true(has_warning(f, "which the runtime lacks itself: CAP_SYS_RESOURCE"));
	done(f);
}

static void test_root_of_a_user_namespace_lacks_nothing(void **state)
{
	struct fixture *f = make("\"capabilities\":{\"bounding\":[\"CAP_SYS_RESOURCE\"]}", USER_NS);

	f->facts.capabilities = 0;
	run(f, plan_process);
	assert_int_equal(find(f, STEP_BOUNDING)->u.bounding.keep, CAP(CAP_SYS_RESOURCE));
	assert_int_equal(f->plan.warnings.n, 0);
	done(f);
}

static void test_capability_that_the_kernel_lacks(void **state)
{
	struct fixture *f =
		make("\"capabilities\":{\"bounding\":[\"CAP_CHECKPOINT_RESTORE\"]}", "");

	f->facts.last_cap = 37;
	run(f, plan_process);
	assert_int_equal(find(f, STEP_BOUNDING)->u.bounding.keep, 0);
	assert_int_equal(find(f, STEP_BOUNDING)->u.bounding.last_cap, 37);
	assert_true(has_warning(f, "which this kernel doesn't have: CAP_CHECKPOINT_RESTORE"));
	done(f);
}

static void test_sets_that_do_not_fit_each_other(void **state)
{
	struct fixture *f = make("\"capabilities\":{\"bounding\":[\"CAP_KILL\"],\"permitted\":["
				 "\"CAP_KILL\",\"CAP_CHOWN\"],"
				 "\"effective\":[\"CAP_KILL\",\"CAP_FOWNER\"],\"inheritable\":["
				 "\"CAP_KILL\",\"CAP_CHOWN\"],"
				 "\"ambient\":[\"CAP_KILL\",\"CAP_CHOWN\"]}",
				 "");
	const struct step *step;

	run(f, plan_process);
	step = find(f, STEP_CAPABILITIES);
	assert_int_equal(step->u.capabilities.effective, CAP(CAP_KILL));
	assert_int_equal(step->u.capabilities.inheritable, CAP(CAP_KILL));
	assert_int_equal(step->u.capabilities.ambient, CAP(CAP_KILL));
	assert_true(has_warning(
		f, "effective set, since they are not in the permitted one: CAP_FOWNER"));
	assert_true(has_warning(
		f, "inheritable set, since they are not in the bounding one: CAP_CHOWN"));
	assert_true(has_warning(
		f, "ambient set, since they are not both permitted and inheritable: CAP_CHOWN"));
	done(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_without_anything),
		cmocka_unit_test(test_order_with_everything),
		cmocka_unit_test(test_filter_without_no_new_privs),
		cmocka_unit_test(test_filter_of_a_container_that_keeps_sys_admin),
		cmocka_unit_test(test_filter_that_the_runtime_may_not_load),
		cmocka_unit_test(test_seccomp_flags),
		cmocka_unit_test(test_stdio_only_for_other_ids),
		cmocka_unit_test(test_child_sets_limits_without_user_namespace),
		cmocka_unit_test(test_parent_sets_limits_with_user_namespace),
		cmocka_unit_test(test_absent_oom_score_adj_is_left_alone),
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_capabilities_absent_are_empty),
		cmocka_unit_test(test_capability_that_the_runtime_lacks),
		cmocka_unit_test(test_root_of_a_user_namespace_lacks_nothing),
		cmocka_unit_test(test_capability_that_the_kernel_lacks),
		cmocka_unit_test(test_sets_that_do_not_fit_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
