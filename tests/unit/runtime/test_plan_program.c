/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process planners: the program, its environment and ids, hooks, sysctl; and what is refused where. */
#include "runtime/plan_fixture.h"

#include <signal.h>
#include <sys/resource.h>

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
	{ "apparmor", plan_labels, "\"apparmorProfile\":\"x\"", "",
	  "apply AppArmor profile \"x\": AppArmor is not enabled on this host",
	  "/process/apparmorProfile" },
	{ "unconfined is what everybody is", plan_labels, "\"apparmorProfile\":\"unconfined\"", "",
	  NULL, NULL },
	{ "selinux", plan_labels, "\"selinuxLabel\":\"x\"", "",
	  "set SELinux label \"x\": SELinux is not enabled on this host", "/process/selinuxLabel" },
	{ "mount label", plan_labels, "", "\"linux\":{\"mountLabel\":\"x\"}",
	  "label mounts \"x\": SELinux is not enabled on this host", "/linux/mountLabel" },
	{ "rdt", plan_rdt, "", "\"linux\":{\"intelRdt\":{}}",
	  "use Intel RDT: the resctrl filesystem is not mounted on this host", "/linux/intelRdt" },
	{ "empty labels are absent", plan_labels, "\"apparmorProfile\":\"\",\"selinuxLabel\":\"\"",
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
