/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The error object: its chain, its words, its limits. */
#include "base/err.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void test_chain_reads_from_the_outside_in(void **state)
{
	struct err err = ERR_INIT;
	char line[2048];

	assert_int_equal(err_set(&err, -EPERM, "mount over masked path \"%s\"", "/proc/keys"),
			 -EPERM);
	err_at(&err, "/linux/maskedPaths/3");
	assert_int_equal(err_context(&err, "create \"%s\"", "web"), -EPERM);
	err_render(&err, line, sizeof(line));
	assert_string_equal(
		line,
		"create \"web\": mount over masked path \"/proc/keys\": not permitted (EPERM) "
		"(config.json /linux/maskedPaths/3)");
	assert_int_equal(err.kind, ERR_SYSTEM);
}

static void test_first_pointer_stays(void **state)
{
	struct err err = ERR_INIT;

	err_user(&err, "hostname without a uts namespace");
	err_at(&err, "/hostname");
	err_at(&err, "/linux");
	assert_string_equal(err.pointer, "/hostname");
}

static void test_line_is_shown_with_the_pointer(void **state)
{
	struct err err = ERR_INIT;
	char line[256];

	err_user(&err, "duplicate key");
	err_at(&err, "/process");
	err.line = 7;
	err_render(&err, line, sizeof(line));
	assert_string_equal(line, "duplicate key (config.json /process, line 7)");
}

static void test_the_document_is_named(void **state)
{
	struct err err = ERR_INIT;
	char line[256];

	err_user(&err, "duplicate key");
	err_at(&err, "/layers/0");
	err_in(&err, "manifest sha256:12");
	err.line = 7;
	err_render(&err, line, sizeof(line));
	assert_string_equal(line, "duplicate key (manifest sha256:12 /layers/0, line 7)");
	err.line = 0;
	err_render(&err, line, sizeof(line));
	assert_string_equal(line, "duplicate key (manifest sha256:12 /layers/0)");
}

/* podman and containerd read these words in error texts; an errno must never bring them in. */
static void test_errno_texts_have_none_of_the_callers_words(void **state)
{
	static const char *const words[] = {
		"permission denied", "operation not permitted", "no such file or directory",
		"no such process",   "does not exist",          "container not running"
	};
	char buf[96];

	for (int code = 1; code < 134; code++) {
		const char *text = errno_text(-code, buf, sizeof(buf));

		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			assert_null(strcasestr(text, words[i]));
	}
}

static void test_unknown_errno_has_its_number(void **state)
{
	char buf[96];

	assert_string_equal(errno_text(-4242, buf, sizeof(buf)), "error 4242");
}

static void test_too_long_a_chain_keeps_its_head(void **state)
{
	char big[ERR_TEXT_MAX];
	struct err err = ERR_INIT;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	err_user(&err, "%s", big);
	err_context(&err, "create \"web\"");
	assert_memory_equal(err.text, "create \"web\": xxx", 17);
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
}

static void test_a_context_as_long_as_the_text_is_cut(void **state)
{
	char big[2 * ERR_TEXT_MAX];
	struct err err = ERR_INIT;

	memset(big, 'y', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	err_user(&err, "cause");
	err_context(&err, "%s", big);
	assert_true(strlen(err.text) < ERR_TEXT_MAX);
	assert_memory_equal(err.text, "yyyy", 4);
}

static void test_a_bug_says_that_it_is_one(void **state)
{
	struct err err = ERR_INIT;

	assert_int_equal(err_bug(&err, "slot %d is empty", 3), -EPROTO);
	assert_int_equal(err.kind, ERR_BUG);
	assert_string_equal(err.hint, "this is a fault of tare's; please report it");
}

/* Fixed size, no pointers: what one process writes at once is what another reads. */
static void test_it_crosses_a_fork_in_one_write(void **state)
{
	struct err err = ERR_INIT, got = ERR_INIT;
	char line[2048];
	int fds[2];
	pid_t pid;

	assert_true(sizeof(err) <= PIPE_BUF); /* so no other writer can come between */
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		err_set(&err, -ENODEV, "mount \"%s\" on \"%s\"", "nosuchfs", "/data");
		err_at(&err, "/mounts/3");
		err_hint(&err, "load its module");
		err.step = 17;
		strcpy(err.step_name, "mount");
		_exit(write(fds[1], &err, sizeof(err)) == sizeof(err) ? 0 : 1);
	}
	assert_int_equal(read(fds[0], &got, sizeof(got)), sizeof(got));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	err_context(&got, "run \"web\"");
	err_render(&got, line, sizeof(line));
	assert_string_equal(line, "run \"web\": mount \"nosuchfs\" on \"/data\": no such device or "
				  "filesystem type (ENODEV) (config.json /mounts/3)");
	assert_int_equal(got.code, -ENODEV);
	assert_int_equal(got.kind, ERR_SYSTEM);
	assert_int_equal(got.step, 17);
	assert_string_equal(got.step_name, "mount");
	assert_string_equal(got.hint, "load its module");
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain_reads_from_the_outside_in),
		cmocka_unit_test(test_first_pointer_stays),
		cmocka_unit_test(test_line_is_shown_with_the_pointer),
		cmocka_unit_test(test_the_document_is_named),
		cmocka_unit_test(test_errno_texts_have_none_of_the_callers_words),
		cmocka_unit_test(test_unknown_errno_has_its_number),
		cmocka_unit_test(test_too_long_a_chain_keeps_its_head),
		cmocka_unit_test(test_a_context_as_long_as_the_text_is_cut),
		cmocka_unit_test(test_a_bug_says_that_it_is_one),
		cmocka_unit_test(test_it_crosses_a_fork_in_one_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
