/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The passwd reader: right on good files, quick and silent on whatever else an image may bring (row Q-12). */
#include "runtime/passwd.h"

#include "base/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

static int file_of(const char *text, size_t len)
{
	int fd = memfd_create("passwd", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* What passwd_home() says; *home is "untouched" if it wrote nothing. */
static int look(const char *text, size_t len, uint32_t uid, char home[64])
{
	int fd = file_of(text, len), r;

	strcpy(home, "untouched");
	r = passwd_home(fd, uid, home, 64);
	close(fd);
	return r;
}

#define GOOD                                                                                       \
	"root:x:0:0:root:/root:/bin/sh\n"                                                          \
	"daemon:x:1:1::/usr/sbin:/usr/sbin/false\n"                                                \
	"web:x:1000:1000:,,,:/home/web:/bin/sh"

static const struct {
	const char *text;
	uint32_t uid;
	const char *home; /* NULL: not found */
} lines[] = {
	{ GOOD, 0, "/root" },
	{ GOOD, 1, "/usr/sbin" },
	{ GOOD, 1000, "/home/web" }, /* no newline at the end */
	{ GOOD, 2, NULL },
	{ "", 0, NULL },
	{ "\n\n\n", 0, NULL },
	{ "root:x:0:0:root:/first:\nroot:x:0:0:root:/second:\n", 0, "/first" },
	{ "root:x:0:0:root::\nroot:x:0:0:root:/second:\n", 0, "/second" },
	{ "root:x:0:0:root:relative:\n", 0, NULL },
	{ "root:x:0:0:root:/no/shell\n", 0, "/no/shell" },
	{ "root:x:0:0\n", 0, NULL },
	{ "root:x::0:root:/empty-uid:\n", 0, NULL },
	{ "root:x:0x0:0:root:/hex:\n", 0, NULL },
	{ "root:x:-0:0:root:/minus:\n", 0, NULL },
	{ "root:x: 0:0:root:/blank:\n", 0, NULL },
	{ "root:x:4294967296:0:root:/overflow:\n", 0, NULL },
	{ "x:x:4294967295:0:root:/largest:\n", UINT32_MAX, "/largest" },
	{ "root:x:00:0:root:/zeros:\n", 0, "/zeros" },
};

static void test_lines(void **state)
{
	char home[64];

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		int r = look(lines[i].text, strlen(lines[i].text), lines[i].uid, home);

		assert_int_equal(r, lines[i].home != NULL);
		assert_string_equal(home, lines[i].home ? lines[i].home : "untouched");
	}
}

static void test_too_long_home_is_not_cut(void **state)
{
	char text[200], home[64];

	snprintf(text, sizeof(text), "root:x:0:0::/%0100d:\n", 0);
	assert_int_equal(look(text, strlen(text), 0, home), 0);
	assert_string_equal(home, "untouched");
}

static void test_line_with_nul_is_skipped(void **state)
{
	static const char text[] = "root:x:0:0::/cut\0off:\nroot:x:0:0::/whole:\n";
	char home[64];

	assert_int_equal(look(text, sizeof(text) - 1, 0, home), 1);
	assert_string_equal(home, "/whole");
}

/* A line longer than the buffer is skipped as a whole, wherever the buffer cuts it. */
static void test_long_lines_are_skipped(void **state)
{
	static char text[4 * LINE_MAX_BYTES];
	char home[64];

	for (size_t len = LINE_MAX_BYTES - 3; len < 3 * LINE_MAX_BYTES; len += 509) {
		memset(text, 'a', len);
		strcpy(text + len, ":x:0:0::/long:\nroot:x:0:0::/short:\n");
		assert_int_equal(look(text, strlen(text), 0, home), 1);
		assert_string_equal(home, "/short");
	}
}

static void test_reading_stops(void **state)
{
	static char text[LINES_MAX_BYTES + 8192];
	const char *entry = "\nroot:x:0:0::/late:\n";
	char home[64];

	memset(text, 'a', sizeof(text));
	memcpy(text + sizeof(text) - strlen(entry), entry, strlen(entry));
	assert_int_equal(look(text, sizeof(text), 0, home), 0);
	assert_string_equal(home, "untouched");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_too_long_home_is_not_cut),
		cmocka_unit_test(test_line_with_nul_is_skipped),
		cmocka_unit_test(test_long_lines_are_skipped),
		cmocka_unit_test(test_reading_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
