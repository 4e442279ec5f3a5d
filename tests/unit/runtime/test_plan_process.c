/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process planners on whole configs: which steps, in which order, by whom, with what, and what is refused where.
 * No system call, so it needs no root.
 */
#include "runtime/planners.h"

#include <linux/capability.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#define ALL_CAPS  ((1ULL << 41) - 1)
#define CAP(name) (1ULL << (name))

struct fixture {
	struct arena arena;
	struct facts facts;
	struct create_options options;
	struct plan plan;
	struct planner_state s;
	struct err err;
};

/* A config from its parts: process.user, members of process after the required ones, members of the top. */
static struct fixture *make_for(const char *user, const char *process, const char *top)
{
	static struct fixture f;
	struct config *config;
	char text[8192];
	int len;

	memset(&f, 0, sizeof(f));
	len = snprintf(text, sizeof(text),
		       "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\"},\"process\":{\"cwd\":"
		       "\"/work\",\"args\":[\"sh\"],"
		       "\"user\":{%s}%s%s}%s%s}",
		       user, process[0] ? "," : "", process, top[0] ? "," : "", top);
	f.err = ERR_INIT;
	if (config_read(&f.arena, text, (size_t)len, &config, &f.err) < 0)
		fail_msg("config_read: %s (%s)\n%s", f.err.text, f.err.pointer, text);
	f.facts = (struct facts){ .capabilities = ALL_CAPS,
				  .last_cap = 40,
				  .kernel_version = 6 << 16 | 18 << 8 };
	f.options = (struct create_options){ .id = "web", .bundle = "/bundle", .run = true };
	f.s = (struct planner_state){
		.plan = &f.plan,
		.config = config,
		.facts = &f.facts,
		.options = &f.options,
		.slots = { .proc = 7 },
		.hook_stdout = SLOT_NONE,
		.hook_stderr = SLOT_NONE,
	};
	return &f;
}

static struct fixture *make(const char *process, const char *top)
{
	return make_for("\"uid\":0,\"gid\":0", process, top);
}

static void done(struct fixture *f)
{
	plan_clear(&f->plan);
	arena_clear(&f->arena);
}

static void run(struct fixture *f, planner *plan)
{
	if (plan(&f->s, &f->err) < 0)
		fail_msg("planner: %s (%s)", f->err.text, f->err.pointer);
}

/* "p:rlimit c:execute": who and what, in order. */
static const char *kinds(struct fixture *f)
{
	static char text[2048];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < f->plan.n_steps; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%c:%s", i ? " " : "",
					"pscS"[f->plan.steps[i].who],
					step_names[f->plan.steps[i].kind]);
	return text;
}

/* The @nth step of a kind. */
static struct step *find_nth(struct fixture *f, enum step_kind kind, int nth)
{
	for (size_t i = 0; i < f->plan.n_steps; i++) {
		if (f->plan.steps[i].kind == kind && nth-- == 0)
			return &f->plan.steps[i];
	}
	fail_msg("no step %s in: %s", step_names[kind], kinds(f));
	return NULL;
}

static struct step *find(struct fixture *f, enum step_kind kind)
{
	return find_nth(f, kind, 0);
}

static bool has_warning(struct fixture *f, const char *part)
{
	for (size_t i = 0; i < f->plan.warnings.n; i++) {
		if (strstr(f->plan.warnings.items[i], part))
			return true;
	}
	return false;
}

#define USER_NS                                                                                    \
	"\"linux\":{\"namespaces\":[{\"type\":\"user\"},{\"type\":\"pid\"}],"                      \
	"\"uidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":1000}],"                   \
	"\"gidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":1000}]}"

#define ALLOW_ALL "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}"

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
	assert_false(find(f, STEP_SESSION)->u.session.undumpable);
	done(f);

	f = make("", "");
	f->options.no_new_keyring = true;
	run(f, plan_session);
	assert_string_equal(kinds(f), "c:new-session c:reset-signals");
	assert_true(find(f, STEP_SESSION)->u.session.undumpable);
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

/* ---- the program ------------------------------------------------------------------------------------------------ */

static void test_path_is_split(void **state)
{
	static const char *const dirs[] = { "/a", "/work", "/work/rel", "/b" };
	struct fixture *f = make("\"env\":[\"PATH=/a::rel:/b\"]", "");
	const struct step *step;

	run(f, plan_find_executable);
	step = find(f, STEP_FIND_EXECUTABLE);
	assert_string_equal(step->u.find_executable.name, "sh");
	assert_null(step->u.find_executable.path);
	assert_int_equal(step->u.find_executable.path_dirs.n, ARRAY_LEN(dirs));
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		assert_string_equal(step->u.find_executable.path_dirs.items[i], dirs[i]);
	done(f);
}

static void test_path_has_a_default(void **state)
{
	struct fixture *f = make("", "");
	const struct step *step;

	run(f, plan_find_executable);
	step = find(f, STEP_FIND_EXECUTABLE);
	assert_int_equal(step->u.find_executable.path_dirs.n, 2);
	assert_string_equal(step->u.find_executable.path_dirs.items[0], "/bin");
	assert_string_equal(step->u.find_executable.path_dirs.items[1], "/usr/bin");
	done(f);
}

static void assert_env(struct fixture *f, const char *const *expected)
{
	const struct step *step = find(f, STEP_EXEC);
	size_t n = 0;

	for (; expected[n]; n++)
		assert_string_equal(step->u.exec.envp[n], expected[n]);
	assert_int_equal(step->u.exec.n_env, n);
	/* The free slot, and the end. */
	assert_null(step->u.exec.envp[n]);
	assert_null(step->u.exec.envp[n + 1]);
}

static void test_environment(void **state)
{
	static const char *const with_home[] = { "A=1", "HOME=/x", NULL }, *const without[] = {
		"A=1", "B=", NULL
	};
	struct fixture *f = make("\"env\":[\"A=1\",\"HOME=/x\"]", "");

	run(f, plan_process);
	assert_env(f, with_home);
	assert_null(strstr(kinds(f), "set-home"));
	done(f);

	/* an empty HOME counts as unset. */
	f = make("\"env\":[\"A=1\",\"HOME=\",\"B=\"]", "");
	run(f, plan_process);
	assert_env(f, without);
	assert_non_null(strstr(kinds(f), "set-home"));
	done(f);
}

static void test_listen_fds(void **state)
{
	static const char *const expected[] = { "HOME=/", "LISTEN_PID=1", "LISTEN_FDS=2",
						"LISTEN_FDNAMES=a:b", NULL };
	struct fixture *f = make("\"env\":[\"LISTEN_FDS=9\",\"HOME=/\",\"LISTEN_PID=77\"]",
				 "\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]}");

	f->options.preserve_fds = f->options.listen_fds = 2;
	f->options.listen_fdnames = "a:b";
	run(f, plan_process);
	assert_env(f, expected);
	assert_null(find(f, STEP_EXEC)->u.exec.listen_pid);
	assert_int_equal(find(f, STEP_CLOSE_FDS)->u.close_fds.preserve_fds, 2);
	done(f);

	/* Without a pid namespace the number is known only when the process is. */
	f = make("", "");
	f->options.listen_fds = 1;
	run(f, plan_process);
	assert_ptr_equal(find(f, STEP_EXEC)->u.exec.listen_pid, find(f, STEP_EXEC)->u.exec.envp[0]);
	assert_true(strlen(find(f, STEP_EXEC)->u.exec.listen_pid) >= strlen("LISTEN_PID=4194304"));
	done(f);
}

static void test_ids(void **state)
{
	struct fixture *f =
		make_for("\"uid\":5,\"gid\":6,\"umask\":63,\"additionalGids\":[7,8]", "", "");
	const struct step *step;

	run(f, plan_process);
	step = find(f, STEP_IDS);
	assert_int_equal(step->u.ids.uid, 5);
	assert_int_equal(step->u.ids.gid, 6);
	assert_int_equal(step->u.ids.n_gids, 2);
	assert_int_equal(step->u.ids.gids[1], 8);
	assert_true(step->u.ids.keep_caps && step->u.ids.set_groups);
	assert_int_equal(find(f, STEP_UMASK)->u.umask.mask, 077);
	assert_int_equal(find(f, STEP_STDIO_OWNER)->u.stdio_owner.uid, 5);
	done(f);
}

static void assert_unmapped(const char *user, const char *text, const char *pointer)
{
	struct fixture *f = make_for(user, "", USER_NS);

	assert_true(plan_process(&f->s, &f->err) < 0);
	assert_string_equal(f->err.text, text);
	assert_string_equal(f->err.pointer, pointer);
	done(f);
}

static void test_ids_without_a_mapping(void **state)
{
	assert_unmapped("\"uid\":1000,\"gid\":0",
			"use uid 1000: the user namespace has no mapping for it",
			"/process/user/uid");
	assert_unmapped("\"uid\":999,\"gid\":1000",
			"use gid 1000: the user namespace has no mapping for it",
			"/process/user/gid");
	assert_unmapped("\"uid\":0,\"gid\":0,\"additionalGids\":[5,70000]",
			"use additional gid 70000: the user namespace has no mapping for it",
			"/process/user/additionalGids/1");
}

static void test_groups_annotation(void **state)
{
	struct fixture *f = make("", "\"annotations\":{\"run.oci.keep_original_groups\":\"1\"}");

	run(f, plan_process);
	assert_false(find(f, STEP_IDS)->u.ids.set_groups);
	done(f);
	f = make("", "\"annotations\":{\"run.oci.keep_original_groups\":\"0\"}");
	run(f, plan_process);
	assert_true(find(f, STEP_IDS)->u.ids.set_groups);
	done(f);
}

/* ---- hooks ------------------------------------------------------------------------------------------------------ */

#define HOOK "[{\"path\":\"/hook\"}]"

static void assert_status(const struct step *step, const char *status)
{
	char text[1024], part[64];

	snprintf(text, sizeof(text), "%s%s", step->u.hook.state_before, step->u.hook.state_after);
	snprintf(part, sizeof(part), "\"status\":\"%s\"", status);
	assert_non_null(strstr(text, part));
}

static void test_hooks_of_create(void **state)
{
	struct fixture *f = make("", "\"hooks\":{\"prestart\":" HOOK ",\"createRuntime\":" HOOK
				     ",\"createContainer\":" HOOK ",\"startContainer\":" HOOK
				     ",\"poststart\":" HOOK ",\"poststop\":" HOOK "}");
	const struct step *step;

	run(f, plan_create_hooks);
	assert_string_equal(
		kinds(f),
		"c:signal p:wait p:write-state p:run-hook p:run-hook p:signal c:wait c:run-hook");
	step = find_nth(f, STEP_HOOK, 1);
	assert_int_equal(step->u.hook.kind, HOOK_CREATE_RUNTIME);
	assert_string_equal(step->pointer, "/hooks/createRuntime/0");
	assert_status(step, "creating");
	assert_string_equal(step->u.hook.cwd, "/bundle");
	run(f, plan_start_hooks);
	step = find_nth(f, STEP_HOOK, 3);
	assert_string_equal(step->u.hook.cwd, "/");
	assert_status(step, "created");
	assert_int_equal(plan_poststart_hooks(&f->s, STEP_PARENT, &f->err), 0);
	step = find_nth(f, STEP_HOOK, 4);
	assert_int_equal(step->who, STEP_PARENT);
	assert_status(step, "running");
	done(f);
}

/* The record gets the init's pid before any hook can ask for it, or hang. */
static void test_the_record_comes_before_a_hook_of_the_child(void **state)
{
	struct fixture *f = make("", "\"hooks\":{\"createContainer\":" HOOK "}");

	run(f, plan_hook_output);
	run(f, plan_create_hooks);
	assert_string_equal(kinds(f), "c:signal p:wait p:write-state p:signal c:wait c:run-hook");
	done(f);
}

static void test_no_hooks_no_handover(void **state)
{
	struct fixture *f = make("", "\"hooks\":{\"startContainer\":" HOOK "}");

	run(f, plan_hook_output);
	run(f, plan_create_hooks);
	assert_string_equal(kinds(f), "");
	done(f);
}

static void test_hook_output(void **state)
{
	struct fixture *f = make(
		"",
		"\"hooks\":{\"poststart\":" HOOK "},"
		"\"annotations\":{\"run.oci.hooks.stdout\":\"/o\",\"run.oci.hooks.stderr\":\"e\"}");
	const struct step *step;

	run(f, plan_hook_output);
	assert_string_equal(kinds(f), "p:open-hook-output p:open-hook-output");
	assert_string_equal(find_nth(f, STEP_HOOK_OUTPUT, 0)->u.hook_output.path, "/o");
	assert_string_equal(find_nth(f, STEP_HOOK_OUTPUT, 1)->u.hook_output.path, "/bundle/e");
	assert_int_equal(plan_poststart_hooks(&f->s, STEP_STARTER, &f->err), 0);
	step = find(f, STEP_HOOK);
	assert_int_equal(step->in[0], find_nth(f, STEP_HOOK_OUTPUT, 2)->out);
	assert_int_equal(step->in[1], find_nth(f, STEP_HOOK_OUTPUT, 3)->out);
	done(f);
}

/* ---- sysctl ----------------------------------------------------------------------------------------------------- */

#define WITH_SYSCTL(key)                                                                           \
	"\"linux\":{\"namespaces\":[{\"type\":\"network\"},{\"type\":\"ipc\"},{\"type\":\"pid\"}]" \
	",\"sysctl\":{\"" key "\":\"1\"}}"

static void assert_path(const char *top, const char *path)
{
	struct fixture *f = make("", top);

	run(f, plan_sysctl);
	assert_string_equal(find(f, STEP_SYSCTL)->u.sysctl.path, path);
	assert_int_equal(find(f, STEP_SYSCTL)->in[0], 7);
	done(f);
}

static void test_sysctl_paths(void **state)
{
	assert_path(WITH_SYSCTL("net.ipv4.ip_forward"), "net/ipv4/ip_forward");
	assert_path(WITH_SYSCTL("net/ipv4/ip_forward"), "net/ipv4/ip_forward");
	assert_path(WITH_SYSCTL("net.ipv4.conf.eth0/1.forwarding"),
		    "net/ipv4/conf/eth0.1/forwarding");
	assert_path(WITH_SYSCTL("net/ipv4/conf/eth0.1/forwarding"),
		    "net/ipv4/conf/eth0.1/forwarding");
	assert_path(WITH_SYSCTL("kernel.shm_rmid_forced"), "kernel/shm_rmid_forced");
	assert_path(WITH_SYSCTL("fs.mqueue.msg_max"), "fs/mqueue/msg_max");
	assert_path(WITH_SYSCTL("kernel.pid_max"), "kernel/pid_max");
}

/* ---- refusals --------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	planner *planner;
	const char *process, *top;
	const char *text, *pointer;
} refusals[] = {
	{ "host sysctl", plan_sysctl, "", WITH_SYSCTL("kernel.panic"),
	  "set sysctl \"kernel.panic\": it belongs to no namespace, so it would change the host",
	  "/linux/sysctl/kernel.panic" },
	{ "host sysctl with a namespaced beginning", plan_sysctl, "", WITH_SYSCTL("kernel.sem_x"),
	  "set sysctl \"kernel.sem_x\": it belongs to no namespace, so it would change the host",
	  "/linux/sysctl/kernel.sem_x" },
	{ "shared namespace", plan_sysctl, "",
	  "\"linux\":{\"sysctl\":{\"net/core/somaxconn\":\"1\"}}",
	  "set sysctl \"net/core/somaxconn\": it belongs to the network namespace, which the "
	  "container shares with the host",
	  "/linux/sysctl/net~1core~1somaxconn" },
	{ "way out", plan_sysctl, "", WITH_SYSCTL("net/../kernel/panic"),
	  "set sysctl \"net/../kernel/panic\": it is not the name of a key",
	  "/linux/sysctl/net~1..~1kernel~1panic" },
	{ "nothing between dots", plan_sysctl, "", WITH_SYSCTL("net..x"),
	  "set sysctl \"net..x\": it is not the name of a key", "/linux/sysctl/net..x" },
	{ "absolute", plan_sysctl, "", WITH_SYSCTL("/net/x"),
	  "set sysctl \"/net/x\": it is not the name of a key", "/linux/sysctl/~1net~1x" },
	{ "hostname twice", plan_sysctl, "",
	  "\"hostname\":\"a\",\"linux\":{\"namespaces\":[{\"type\":\"uts\"}],\"sysctl\":{\"kernel."
	  "hostname\":\"b\"}}",
	  "set sysctl \"kernel.hostname\": the config's hostname sets it too",
	  "/linux/sysctl/kernel.hostname" },
	{ "apparmor", plan_refused, "\"apparmorProfile\":\"x\"", "",
	  "apply an AppArmor profile: not supported yet by this version of tare",
	  "/process/apparmorProfile" },
	{ "selinux", plan_refused, "\"selinuxLabel\":\"x\"", "",
	  "set an SELinux label: not supported yet by this version of tare",
	  "/process/selinuxLabel" },
	{ "mount label", plan_refused, "", "\"linux\":{\"mountLabel\":\"x\"}",
	  "label mounts for SELinux: not supported yet by this version of tare",
	  "/linux/mountLabel" },
	{ "net devices", plan_refused, "",
	  "\"linux\":{\"namespaces\":[{\"type\":\"network\"}],\"netDevices\":{\"eth0\":{}}}",
	  "move network devices into the container: not supported yet by this version of tare",
	  "/linux/netDevices" },
	{ "rdt", plan_refused, "", "\"linux\":{\"intelRdt\":{}}",
	  "join a class of service of Intel RDT: not supported yet by this version of tare",
	  "/linux/intelRdt" },
	{ "empty labels are absent", plan_refused, "\"apparmorProfile\":\"\",\"selinuxLabel\":\"\"",
	  "\"linux\":{\"mountLabel\":\"\"}", NULL, NULL },
};

static void test_refusals(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct fixture *f = make(refusals[i].process, refusals[i].top);
		int r = refusals[i].planner(&f->s, &f->err);

		if (refusals[i].text) {
			if (r >= 0)
				fail_msg("%s: not refused", refusals[i].name);
			assert_string_equal(f->err.text, refusals[i].text);
			assert_string_equal(f->err.pointer, refusals[i].pointer);
		} else {
			assert_int_equal(r, 0);
		}
		done(f);
	}
}

/* pid_max is the machine's before 6.14. */
static void test_sysctl_of_an_older_kernel(void **state)
{
	struct fixture *f = make("", WITH_SYSCTL("kernel.pid_max"));

	f->facts.kernel_version = 6 << 16 | 1 << 8;
	assert_true(plan_sysctl(&f->s, &f->err) < 0);
	assert_non_null(strstr(f->err.text, "it belongs to no namespace"));
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
		cmocka_unit_test(test_path_is_split),
		cmocka_unit_test(test_path_has_a_default),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_listen_fds),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_ids_without_a_mapping),
		cmocka_unit_test(test_groups_annotation),
		cmocka_unit_test(test_hooks_of_create),
		cmocka_unit_test(test_the_record_comes_before_a_hook_of_the_child),
		cmocka_unit_test(test_no_hooks_no_handover),
		cmocka_unit_test(test_hook_output),
		cmocka_unit_test(test_sysctl_paths),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_sysctl_of_an_older_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
