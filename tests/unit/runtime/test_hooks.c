/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks as programs: what they get, how their end is told, that none outlives its timeout (rows H-1 to H-6, Z-8). */
#include "runtime/hooks.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include <cmocka.h>

struct fixture {
	struct config_hook hook;
	const char *args[4], *env[3];
	struct hook_job job;
};

/* A hook that runs a line of shell; its output goes to a memfd, which is returned. */
static int shell_hook(struct fixture *f, const char *script)
{
	int out = memfd_create("out", MFD_CLOEXEC);

	memset(f, 0, sizeof(*f));
	f->args[0] = "hook-name";
	f->args[1] = "-c";
	f->args[2] = script;
	f->hook.path = "/bin/sh";
	f->hook.args = (struct str_list){ .items = f->args, .n = 3 };
	f->hook.env = (struct str_list){ .items = f->env, .n = 0 };
	f->job = (struct hook_job){
		.kind = HOOK_CREATE_RUNTIME,
		.index = 2,
		.hook = &f->hook,
		.state_before = "{\"pid\":",
		.state_after = "}",
		.pid = 42,
		.cwd = "/usr",
		.stdout_fd = out,
		.stderr_fd = -1,
		.watch = -1,
	};
	return out;
}

static void assert_output(int out, const char *expected)
{
	char text[4096];
	ssize_t n = pread(out, text, sizeof(text) - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	assert_string_equal(text, expected);
	close(out);
}

static void test_state_is_on_stdin(void **state)
{
	struct err err = ERR_INIT;
	struct fixture f;
	int out = shell_hook(&f, "cat");

	assert_int_equal(hook_job_run(&f.job, &err), 0);
	assert_output(out, "{\"pid\":42}");
}

static void test_argv_and_environment_are_exact(void **state)
{
	struct err err = ERR_INIT;
	struct fixture f;
	int out =
		shell_hook(&f, "tr '\\0' '\\n' </proc/$$/environ; tr '\\0' ' ' </proc/$$/cmdline");

	f.env[0] = "A=1";
	f.env[1] = "PATH=/usr/bin:/bin";
	f.hook.env.n = 2;
	assert_int_equal(hook_job_run(&f.job, &err), 0);
	assert_output(
		out,
		"A=1\nPATH=/usr/bin:/bin\n"
		"hook-name -c tr '\\0' '\\n' </proc/$$/environ; tr '\\0' ' ' </proc/$$/cmdline ");
}

static void test_absent_environment_is_empty(void **state)
{
	struct err err = ERR_INIT;
	struct fixture f;
	int out = shell_hook(&f, "/usr/bin/wc -c </proc/$$/environ");

	assert_int_equal(hook_job_run(&f.job, &err), 0);
	assert_output(out, "0\n");
}

static void test_directory_and_its_fallback(void **state)
{
	struct err err = ERR_INIT;
	struct fixture f;
	int out = shell_hook(&f, "pwd");

	assert_int_equal(hook_job_run(&f.job, &err), 0);
	assert_output(out, "/usr\n");

	out = shell_hook(&f, "pwd");
	f.job.cwd = "/nowhere";
	assert_int_equal(hook_job_run(&f.job, &err), 0);
	assert_output(out, "/\n");
}

static void test_no_other_fd_is_open(void **state)
{
	struct err err = ERR_INIT;
	struct fixture f;
	int out = shell_hook(&f, "for f in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$f ] && printf "
				 "$f; done; true"),
	    leak;

	leak = open("/", O_RDONLY); /* not close-on-exec, as a caller's may be */
	assert_int_equal(hook_job_run(&f.job, &err), 0);
	close(leak);
	assert_output(out, "012");
}

static void test_signals_are_default(void **state)
{
	struct err err = ERR_INIT;
	struct fixture f;
	int out = shell_hook(&f, "/usr/bin/grep -E 'Sig(Blk|Ign)' /proc/self/status");
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	assert_int_equal(hook_job_run(&f.job, &err), 0);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	assert_output(out, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

static void test_a_state_that_nobody_reads_is_fine(void **state)
{
	static char long_state[300000];
	struct err err = ERR_INIT;
	struct fixture f;
	int out = shell_hook(&f, "exec <&-; echo done");

	memset(long_state, 'x', sizeof(long_state) - 1);
	f.job.state_after = long_state;
	assert_int_equal(hook_job_run(&f.job, &err), 0);
	assert_output(out, "done\n");
}

/* ---- failures --------------------------------------------------------------------------------------------------- */

static void assert_fails(const char *script, const char *text)
{
	struct err err = ERR_INIT;
	struct fixture f;
	int out = shell_hook(&f, script);

	assert_int_equal(hook_job_run(&f.job, &err), -ECANCELED);
	assert_string_equal(err.text, text);
	close(out);
}

static void test_exit_status_and_last_words(void **state)
{
	assert_fails("exit 3", "run createRuntime hook 2 \"/bin/sh\": exit status 3");
	assert_fails("echo no network >&2; exit 1",
		     "run createRuntime hook 2 \"/bin/sh\": exit status 1: no network");
	assert_fails("printf 'two\\n\\tlines\\n\\n' >&2; exit 1",
		     "run createRuntime hook 2 \"/bin/sh\": exit status 1: two  lines");
}

static void test_only_the_end_of_much_output_is_shown(void **state)
{
	struct err err = ERR_INIT;
	struct fixture f;
	int out = shell_hook(
		&f, "i=0; while [ $i -lt 30000 ]; do echo line $i >&2; i=$((i+1)); done; exit 1");
	size_t len;

	assert_int_equal(hook_job_run(&f.job, &err), -ECANCELED);
	len = strlen(err.text);
	assert_true(len > 400 && len < 600);
	assert_string_equal(err.text + len - strlen("line 29998 line 29999"),
			    "line 29998 line 29999");
	close(out);
}

static void test_signal(void **state)
{
	assert_fails("kill -TERM $$",
		     "run createRuntime hook 2 \"/bin/sh\": killed by signal 15 (SIGTERM)");
}

static void test_missing_program(void **state)
{
	struct err err = ERR_INIT;
	struct fixture f;
	int out = shell_hook(&f, "true");

	f.hook.path = "/nowhere/hook";
	assert_int_equal(hook_job_run(&f.job, &err), -ENOENT);
	/* Not the kernel's words: podman would take them for the container's program (base/err.h). */
	assert_string_equal(
		err.text,
		"run createRuntime hook 2 \"/nowhere/hook\": execute it: not there (ENOENT)");
	close(out);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_alive(const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", atoi(text));
	/* A zombie that nobody has reaped yet has no executable. */
	return access(path, F_OK) == 0;
}

static void test_timeout_kills_the_whole_group(void **state)
{
	struct err err = ERR_INIT;
	struct fixture f;
	int out = shell_hook(&f, "/bin/sleep 60 & echo $!; wait");
	int64_t start = now_ms();
	char pid[16] = "";

	f.hook.timeout_s = 1;
	assert_int_equal(hook_job_run(&f.job, &err), -ETIMEDOUT);
	assert_true(now_ms() - start < 5000);
	assert_string_equal(err.text, "run createRuntime hook 2 \"/bin/sh\": not finished after "
				      "its timeout of 1 s, killed");
	assert_true(pread(out, pid, sizeof(pid) - 1, 0) > 0);
	for (int i = 0; i < 100 && is_alive(pid); i++)
		usleep(10000);
	assert_false(is_alive(pid));
	close(out);
}

/* What a hook leaves running may keep its output open; it is not waited for. */
static void test_background_child_is_not_waited_for(void **state)
{
	struct err err = ERR_INIT;
	struct fixture f;
	int64_t start = now_ms();
	int out = shell_hook(&f, "/bin/sleep 20 & echo $!");
	char pid[16] = "";

	assert_int_equal(hook_job_run(&f.job, &err), 0);
	assert_true(now_ms() - start < 5000);
	assert_true(pread(out, pid, sizeof(pid) - 1, 0) > 0);
	kill(atoi(pid), SIGKILL);
	close(out);
}

static void test_watched_runtime_that_dies_ends_the_hook(void **state)
{
	struct err err = ERR_INIT;
	struct fixture f;
	int out = shell_hook(&f, "exec /bin/sleep 60"), pair[2];
	int64_t start = now_ms();

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	f.job.watch = pair[0];
	close(pair[1]);
	assert_int_equal(hook_job_run(&f.job, &err), -EPIPE);
	assert_string_equal(err.text,
			    "run createRuntime hook 2 \"/bin/sh\": the runtime is gone, killed");
	assert_true(now_ms() - start < 5000);
	close(pair[0]);
	close(out);
}

/* ---- preparing -------------------------------------------------------------------------------------------------- */

static void test_copy_ends_lists_and_fills_argv(void **state)
{
	const struct config_hook hook = { .path = "/bin/true", .timeout_s = 7 };
	const struct config_hook *copy;
	struct arena arena = { 0 };

	copy = hook_copy(&arena, &hook);
	assert_int_equal(copy->args.n, 1);
	assert_string_equal(copy->args.items[0], "/bin/true");
	assert_null(copy->args.items[1]);
	assert_null(copy->env.items[0]);
	assert_int_equal(copy->timeout_s, 7);
	arena_clear(&arena);
}

static void test_output_annotation(void **state)
{
	struct key_value items[] = { { "run.oci.hooks.stdout", "/var/log/out" },
				     { "run.oci.hooks.stderr", "err.log" } };
	struct key_value_list list = { items, 2 }, none = { 0 };
	struct arena arena = { 0 };

	assert_string_equal(hook_output_path(&arena, &list, ANNOTATION_HOOKS_STDOUT, "/bundle"),
			    "/var/log/out");
	assert_string_equal(hook_output_path(&arena, &list, ANNOTATION_HOOKS_STDERR, "/bundle"),
			    "/bundle/err.log");
	assert_null(hook_output_path(&arena, &none, ANNOTATION_HOOKS_STDERR, "/bundle"));
	arena_clear(&arena);
}

static void test_hook_outside_a_plan(void **state)
{
	const char *args[] = { "sh", "-c", "cat >&2; pwd >&2; exit 1" };
	const struct config_hook hook = { .path = "/bin/sh",
					  .args = { args, 3 },
					  .env = { NULL, 0 } };
	const struct container container = { .id = "web", .bundle = "/usr" };
	struct err err = ERR_INIT;

	assert_int_equal(hook_run(HOOK_POSTSTOP, 0, &hook, &container, "stopped", &err),
			 -ECANCELED);
	assert_non_null(strstr(err.text, "run poststop hook 0 \"/bin/sh\": exit status 1"));
	assert_non_null(strstr(err.text, "\"id\":\"web\""));
	assert_non_null(strstr(err.text, "\"status\":\"stopped\""));
	assert_non_null(strstr(err.text, "/usr"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state_is_on_stdin),
		cmocka_unit_test(test_argv_and_environment_are_exact),
		cmocka_unit_test(test_absent_environment_is_empty),
		cmocka_unit_test(test_directory_and_its_fallback),
		cmocka_unit_test(test_no_other_fd_is_open),
		cmocka_unit_test(test_signals_are_default),
		cmocka_unit_test(test_a_state_that_nobody_reads_is_fine),
		cmocka_unit_test(test_exit_status_and_last_words),
		cmocka_unit_test(test_only_the_end_of_much_output_is_shown),
		cmocka_unit_test(test_signal),
		cmocka_unit_test(test_missing_program),
		cmocka_unit_test(test_timeout_kills_the_whole_group),
		cmocka_unit_test(test_background_child_is_not_waited_for),
		cmocka_unit_test(test_watched_runtime_that_dies_ends_the_hook),
		cmocka_unit_test(test_copy_ends_lists_and_fills_argv),
		cmocka_unit_test(test_output_annotation),
		cmocka_unit_test(test_hook_outside_a_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
