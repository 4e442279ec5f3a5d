/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Labels on a host that has the security modules, as no host of the test run does (simulated): the steps, where they stand,
 * and what they write, into a fake procfs.
 */
#include "os/lsm.h"
#include "runtime/act.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define LABEL "system_u:object_r:container_file_t:s0:c1,c2"

static struct arena arena;
static struct plan plan;
static struct err err;

/* A config with these members of process, of linux, and annotations. Return: plan_create()'s result */
static int make(const char *process, const char *linux_, const char *annotations)
{
	struct facts facts = { .capabilities = (1ULL << 41) - 1,
			       .last_cap = 40,
			       .apparmor = true,
			       .selinux = true,
			       .namespaces = UINT64_MAX,
			       .cgroup = { .mode = CGROUP_NONE } };
	struct create_options options = {
		.id = "web", .bundle = "/b", .rootfs = "/b/r", .run = true
	};
	struct plan_input in = { .facts = &facts, .options = &options };
	struct config *config;
	char text[4096];
	int len;

	plan_clear(&plan);
	err = ERR_INIT;
	len = snprintf(
		text, sizeof(text),
		"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\"},\"annotations\":{%s},"
		"\"process\":{\"cwd\":\"/\",\"args\":[\"/bin/"
		"sh\"],\"user\":{\"uid\":0,\"gid\":0}%s},"
		"\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
		"{\"destination\":\"/"
		"t\",\"type\":\"tmpfs\",\"source\":\"t\",\"options\":[\"size=1m\"]},"
		"{\"destination\":\"/"
		"u\",\"type\":\"tmpfs\",\"source\":\"u\",\"options\":[\"tmpcopyup\"]},"
		"{\"destination\":\"/q\",\"type\":\"mqueue\",\"source\":\"q\"}],"
		"\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":"
		"\"ipc\"}],"
		"\"maskedPaths\":[\"/m\"]%s}}",
		annotations, process, linux_);
	if (config_read(&arena, text, (size_t)len, &config, &err) < 0)
		fail_msg("config_read: %s (%s)\n%s", err.text, err.pointer, text);
	in.config = config;
	return plan_create(&plan, &in, &err);
}

static void must_make(const char *process, const char *linux_, const char *annotations)
{
	if (make(process, linux_, annotations) < 0)
		fail_msg("plan_create: %s (%s)", err.text, err.pointer);
	if (plan_check(&plan, &err) < 0)
		fail_msg("plan_check: %s", err.text);
}

/* The n-th step of a kind; NULL if there is none. */
static const struct step *find(enum step_kind kind, size_t n)
{
	for (size_t i = 0; i < plan.n_steps; i++) {
		if (plan.steps[i].kind == kind && n-- == 0)
			return &plan.steps[i];
	}
	return NULL;
}

static void test_P8_Q9_apparmor(void **state)
{
	const struct step *label;

	must_make(",\"apparmorProfile\":\"docker-default\"", "", "");
	label = find(STEP_LABEL, 0);
	assert_non_null(label);
	assert_string_equal(label->u.label.file, "apparmor/exec");
	assert_string_equal(label->u.label.old_file, "exec");
	assert_string_equal(label->u.label.text, "exec docker-default");
	assert_string_equal(label->pointer, "/process/apparmorProfile");
	assert_int_equal(label->who, STEP_CHILD);
	/* While the host's procfs is open, and behind everything that executes something else. */
	assert_int_equal(label[1].kind, STEP_CLOSE_FDS);
	assert_null(find(STEP_LABEL, 1));
}

static void test_P9_Q9_X20_selinux(void **state)
{
	const struct step *keys, *process;

	must_make(",\"selinuxLabel\":\"" LABEL "\"", "", "");
	keys = find(STEP_LABEL, 0);
	process = find(STEP_LABEL, 1);
	assert_string_equal(keys->u.label.file, "keycreate");
	assert_int_equal(keys[1].kind, STEP_KEYRING);
	assert_string_equal(process->u.label.file, "exec");
	assert_null(process->u.label.old_file);
	assert_string_equal(process->u.label.text, LABEL);
	assert_int_equal(process[1].kind, STEP_CLOSE_FDS);
}

static void test_L20_mount_label(void **state)
{
	must_make("", ",\"mountLabel\":\"" LABEL "\"", "");
	assert_null(find(STEP_MOUNT, 0)->u.mount.data); /* proc takes none */
	assert_null(find(STEP_MOUNT, 0)->u.mount.label);
	assert_string_equal(find(STEP_MOUNT, 1)->u.mount.data, "size=1m,context=\"" LABEL "\"");
	assert_string_equal(find(STEP_COPY_UP, 0)->u.copy_up.data, "context=\"" LABEL "\"");
	assert_string_equal(find(STEP_EMPTY_DIR, 0)->u.empty_dir.data, "context=\"" LABEL "\"");
	assert_null(find(STEP_MOUNT, 2)->u.mount.data); /* an mqueue has it on its root */
	assert_string_equal(find(STEP_MOUNT, 2)->u.mount.label, LABEL);
}

static void test_L20_F14_context_type(void **state)
{
	must_make("", ",\"mountLabel\":\"" LABEL "\"",
		  "\"run.oci.mount_context_type\":\"rootcontext\"");
	assert_string_equal(find(STEP_MOUNT, 1)->u.mount.data, "size=1m,rootcontext=\"" LABEL "\"");

	assert_int_equal(
		make("", ",\"mountLabel\":\"x\"", "\"run.oci.mount_context_type\":\"some\""),
		-EINVAL);
	assert_string_equal(err.text, "label mounts by \"some\": there is no such option");
	assert_string_equal(err.pointer, "/annotations/run.oci.mount_context_type");
	assert_int_equal(make("", ",\"mountLabel\":\"a\\\",size=9g,b=\\\"\"", ""), -EINVAL);
	assert_string_equal(err.pointer, "/linux/mountLabel");
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static int fake_proc(char *dir, bool stacked)
{
	static const char *const made[] = { "7", "7/attr", "7/attr/apparmor" };
	int proc;

	assert_non_null(mkdtemp(dir));
	proc = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(proc >= 0);
	for (size_t i = 0; i < (stacked ? 3 : 2); i++)
		assert_int_equal(mkdirat(proc, made[i], 0700), 0);
	assert_int_equal(symlinkat("7", proc, "self"), 0);
	close(openat(proc, "7/attr/exec", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	if (stacked)
		close(openat(proc, "7/attr/apparmor/exec", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	return proc;
}

static void remove_fake(const char *dir, int proc)
{
	static const char *const made[] = { "self",        "7/attr/apparmor/exec",
					    "7/attr/exec", "7/attr/apparmor",
					    "7/attr",      "7" };

	for (size_t i = 0; i < ARRAY_LEN(made); i++) {
		if (unlinkat(proc, made[i], 0) < 0)
			(void)unlinkat(proc, made[i], AT_REMOVEDIR);
	}
	close(proc);
	assert_int_equal(rmdir(dir), 0);
}

static void assert_file(int proc, const char *path, const char *text)
{
	int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	char buf[64] = "";

	assert_true(fd >= 0 && read(fd, buf, sizeof(buf) - 1) >= 0);
	close(fd);
	assert_string_equal(buf, text);
}

/* Kernels before 5.8 have one file for all modules. */
static void test_Q9_newer_and_older_kernels(void **state)
{
	for (int stacked = 0; stacked < 2; stacked++) {
		char dir[] = "/tmp/tare-label-XXXXXX";
		int fd[1] = { fake_proc(dir, stacked) };
		struct step step = { .in = { 0, SLOT_NONE, SLOT_NONE, SLOT_NONE } };
		struct act a = { .fd = fd };

		step.u.label.file = "apparmor/exec";
		step.u.label.old_file = "exec";
		step.u.label.text = "exec web";
		assert_int_equal(step_label(&a, &step, &err), 0);
		assert_file(fd[0], stacked ? "7/attr/apparmor/exec" : "7/attr/exec", "exec web");
		if (stacked)
			assert_file(fd[0], "7/attr/exec", "");
		remove_fake(dir, fd[0]);
	}
}

/* Words that podman knows errors of security modules by: the path in backquotes, ending in /exec. */
static void test_X5_X6_what_is_no_procfs_file(void **state)
{
	char dir[] = "/tmp/tare-label-XXXXXX";
	int fd[1] = { fake_proc(dir, false) };
	struct step step = { .in = { 0, SLOT_NONE, SLOT_NONE, SLOT_NONE } };
	struct act a = { .fd = fd };

	/* A link that leads out of the procfs is not followed. */
	assert_int_equal(unlinkat(fd[0], "7/attr/exec", 0), 0);
	assert_int_equal(symlinkat("/dev/null", fd[0], "7/attr/exec"), 0);
	step.u.label.file = "exec";
	step.u.label.text = "x";
	err = ERR_INIT;
	assert_int_equal(step_label(&a, &step, &err), -EXDEV);
	assert_non_null(strstr(err.text, "write \"x\" to `/proc/self/attr/exec`"));

	assert_int_equal(unlinkat(fd[0], "7/attr/exec", 0), 0);
	err = ERR_INIT;
	assert_int_equal(step_label(&a, &step, &err), -ENOENT);
	assert_non_null(strstr(err.text, "`/proc/self/attr/exec`"));
	assert_non_null(strstr(err.hint, "apparmor_parser"));
	remove_fake(dir, fd[0]);
}

static int clear(void **state)
{
	plan_clear(&plan);
	arena_clear(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_P8_Q9_apparmor),
		cmocka_unit_test(test_P9_Q9_X20_selinux),
		cmocka_unit_test(test_L20_mount_label),
		cmocka_unit_test(test_L20_F14_context_type),
		cmocka_unit_test(test_Q9_newer_and_older_kernels),
		cmocka_unit_test(test_X5_X6_what_is_no_procfs_file),
	};

	return cmocka_run_group_tests_name("labels (simulated)", tests, NULL, clear);
}
