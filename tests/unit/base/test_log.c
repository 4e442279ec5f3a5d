/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who reads what of a message: a file of records for engines, standard error for people. */
#include "base/log.h"

#include "base/json.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

struct fixture {
	char dir[64], path[96];
	char file[8192], people[8192];
	int saved_stderr, captured;
	struct log log;
};

static int set_up(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	strcpy(f.dir, "/tmp/tare-log-XXXXXX");
	assert_non_null(mkdtemp(f.dir));
	snprintf(f.path, sizeof(f.path), "%s/log", f.dir);
	f.log = LOG_INIT("tare-oci");
	f.saved_stderr = dup(STDERR_FILENO);
	f.captured = memfd_create("stderr", MFD_CLOEXEC);
	assert_true(dup2(f.captured, STDERR_FILENO) >= 0);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	log_close(&f->log);
	dup2(f->saved_stderr, STDERR_FILENO);
	close(f->saved_stderr);
	close(f->captured);
	unlink(f->path);
	rmdir(f->dir);
	return 0;
}

static void collect(struct fixture *f)
{
	int fd = open(f->path, O_RDONLY);

	if (fd >= 0) {
		assert_true(read(fd, f->file, sizeof(f->file) - 1) >= 0);
		close(fd);
	}
	assert_true(pread(f->captured, f->people, sizeof(f->people) - 1, 0) >= 0);
}

static void open_log(struct fixture *f, bool json)
{
	struct err err = ERR_INIT;

	assert_int_equal(log_open(&f->log, f->path, &err), 0);
	f->log.json = json;
}

static void an_error(struct err *err)
{
	*err = ERR_INIT;
	err_set(err, -EPERM, "mount \"proc\" on \"/proc\"");
	err_at(err, "/mounts/0");
	err_hint(err, "give it CAP_SYS_ADMIN");
	snprintf(err->step_name, sizeof(err->step_name), "mount");
	err_context(err, "create \"web\"");
}

static const char *const for_people = "tare-oci: create \"web\": mount \"proc\" on \"/proc\": not "
				      "permitted (EPERM) (config.json /mounts/0)\n"
				      "hint: give it CAP_SYS_ADMIN\n";

static void test_people_read_one_line_and_a_hint(void **state)
{
	struct fixture *f = *state;
	struct err err;

	an_error(&err);
	log_error(&f->log, &err);
	collect(f);
	assert_string_equal(f->people, for_people);
}

static void test_an_error_goes_to_both(void **state)
{
	struct fixture *f = *state;
	struct err err;

	open_log(f, true);
	an_error(&err);
	log_error(&f->log, &err);
	collect(f);
	assert_string_equal(f->people, for_people);
	assert_non_null(
		strstr(f->file, "{\"level\":\"error\",\"msg\":\"create \\\"web\\\": mount"));
	assert_non_null(strstr(f->file,
			       "Z\",\"code\":\"EPERM\",\"kind\":\"system\",\"step\":\"mount\","
			       "\"pointer\":\"/mounts/0\",\"hint\":\"give it CAP_SYS_ADMIN\"}\n"));
}

static void test_a_warning_goes_to_the_file_alone(void **state)
{
	struct fixture *f = *state;

	open_log(f, true);
	log_write(&f->log, LOG_LEVEL_WARNING, "ignore %s", "/linux/x");
	collect(f);
	assert_string_equal(f->people, "");
	assert_non_null(strstr(f->file,
			       "{\"level\":\"warning\",\"msg\":\"ignore /linux/x\",\"time\":\"20"));
}

static void test_without_a_file_a_warning_is_for_people(void **state)
{
	struct fixture *f = *state;

	log_write(&f->log, LOG_LEVEL_WARNING, "odd");
	collect(f);
	assert_string_equal(f->people, "tare-oci: warning: odd\n");
}

static void test_json_without_a_file_goes_to_stderr(void **state)
{
	struct fixture *f = *state;
	struct err err;

	f->log.json = true;
	an_error(&err);
	log_error(&f->log, &err);
	collect(f);
	assert_true(strncmp(f->people, "{\"level\":\"error\",", 17) == 0);
}

static void test_text_records_are_logrus_shaped(void **state)
{
	struct fixture *f = *state;

	open_log(f, false);
	log_write(&f->log, LOG_LEVEL_WARNING, "a \"b\"\nc");
	collect(f);
	assert_true(strncmp(f->file, "time=\"20", 8) == 0);
	assert_non_null(strstr(f->file, "\" level=warning msg=\"a \\\"b\\\"\\nc\"\n"));
}

static void test_what_is_too_detailed_is_dropped(void **state)
{
	struct fixture *f = *state;

	open_log(f, true);
	log_write(&f->log, LOG_LEVEL_DEBUG, "detail");
	f->log.level = LOG_LEVEL_DEBUG;
	log_write(&f->log, LOG_LEVEL_DEBUG, "wanted");
	collect(f);
	assert_null(strstr(f->file, "detail"));
	assert_non_null(strstr(f->file, "{\"level\":\"debug\",\"msg\":\"wanted\""));
}

static void test_records_are_appended(void **state)
{
	struct fixture *f = *state;

	open_log(f, true);
	log_write(&f->log, LOG_LEVEL_WARNING, "one");
	open_log(f, true);
	log_write(&f->log, LOG_LEVEL_WARNING, "two");
	collect(f);
	assert_true(strstr(f->file, "one") < strstr(f->file, "two"));
}

static void test_a_fifo_without_a_reader_is_refused_at_once(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;

	assert_int_equal(mkfifo(f->path, 0600), 0);
	assert_int_equal(log_open(&f->log, f->path, &err), -ENXIO);
	assert_string_equal(err.hint, "it is a FIFO that nobody reads");
	assert_int_equal(f->log.fd, -EBADF);
}

/* Whatever a name in an error holds, the record stays JSON: engines lose everything otherwise. */
static void test_no_bytes_break_a_record(void **state)
{
	struct fixture *f = *state;
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;
	const struct json *value;

	open_log(f, true);
	err_user(&err, "open \"\x01\xff\xc3(\\\"\n");
	log_error(&f->log, &err);
	collect(f);
	assert_int_equal(json_parse(&arena, f->file, strlen(f->file), &value, &err), 0);
	assert_ptr_equal(strchr(f->file, '\n') + 1, f->file + strlen(f->file));
}

int main(void)
{
#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		LOG_TEST(test_people_read_one_line_and_a_hint),
		LOG_TEST(test_an_error_goes_to_both),
		LOG_TEST(test_a_warning_goes_to_the_file_alone),
		LOG_TEST(test_without_a_file_a_warning_is_for_people),
		LOG_TEST(test_json_without_a_file_goes_to_stderr),
		LOG_TEST(test_text_records_are_logrus_shaped),
		LOG_TEST(test_what_is_too_detailed_is_dropped),
		LOG_TEST(test_records_are_appended),
		LOG_TEST(test_a_fifo_without_a_reader_is_refused_at_once),
		LOG_TEST(test_no_bytes_break_a_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
