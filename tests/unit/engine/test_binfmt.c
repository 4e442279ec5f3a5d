/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which architectures the kernel has an interpreter for, by entries as it shows them. Simulated: in a directory of files. */
#include "engine/binfmt.h"
#include "os/remove.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ARM64_MAGIC "7f454c460201010000000000000000000200b700"
#define MASK        "ffffffffffffff00fffffffffffffffffeffffff"
#define S390X_MAGIC "7f454c4602020100000000000000000000020016"
#define S390X_MASK  "ffffffffffffff00fffffffffffffffffffeffff"

static char directory[40];

static int setup(void **state)
{
	strcpy(directory, "/tmp/tare-binfmt-XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state)
{
	return os_remove_tree(AT_FDCWD, directory);
}

static void entry(const char *name, const char *text)
{
	char path[100];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void test_an_entry_is_known_by_its_magic(void **state)
{
	entry("status", "enabled\n");
	assert_int_equal(binfmt_runs(directory, "arm64"), BINFMT_NO);
	entry("any-name",
	      "enabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: OCF\noffset 0\nmagic " ARM64_MAGIC
	      "\nmask " MASK "\n");
	assert_int_equal(binfmt_runs(directory, "arm64"), BINFMT_YES);
	assert_int_equal(binfmt_runs(directory, "arm"), BINFMT_NO);
	assert_int_equal(binfmt_runs(directory, "s390x"), BINFMT_NO);
	assert_int_equal(binfmt_runs(directory, "no-such"), BINFMT_NO);
	entry("big-endian", "enabled\ninterpreter /x\nflags: F\noffset 0\nmagic " S390X_MAGIC
			    "\nmask " S390X_MASK "\n");
	assert_int_equal(binfmt_runs(directory, "s390x"), BINFMT_YES);
}

static void test_what_no_container_would_find(void **state)
{
	struct err err = ERR_INIT;

	entry("a",
	      "enabled\ninterpreter /usr/bin/qemu-aarch64\nflags: P\noffset 0\nmagic " ARM64_MAGIC
	      "\nmask " MASK "\n");
	assert_int_equal(binfmt_runs(directory, "arm64"), BINFMT_NOT_INSIDE);
	(void)!binfmt_hint(&err, BINFMT_NOT_INSIDE, "arm64");
	assert_string_equal(
		err.hint,
		"binfmt_misc has an interpreter for arm64, but without flag F, so that no container would find it");
	entry("b", "enabled\ninterpreter /x\nflags: F\noffset 0\nmagic " ARM64_MAGIC "\nmask " MASK
		   "\n");
	assert_int_equal(binfmt_runs(directory, "arm64"), BINFMT_YES);
}

static void test_what_does_not_count(void **state)
{
	entry("off", "disabled\ninterpreter /x\nflags: F\noffset 0\nmagic " ARM64_MAGIC
		     "\nmask " MASK "\n");
	entry("later", "enabled\ninterpreter /x\nflags: F\noffset 4\nmagic " ARM64_MAGIC "\n");
	entry("by-name", "enabled\ninterpreter /x\nflags: F\nextension .arm64\n");
	entry("garbage", "\n\n\nmagic zz");
	entry("empty", "");
	assert_int_equal(binfmt_runs(directory, "arm64"), BINFMT_NO);
	entry("exact", "enabled\ninterpreter /x\nflags: F\noffset 0\nmagic " ARM64_MAGIC "\n");
	assert_int_equal(binfmt_runs(directory, "arm64"), BINFMT_YES);
	entry("status", "disabled\n");
	assert_int_equal(binfmt_runs(directory, "arm64"), BINFMT_NO);
	assert_int_equal(binfmt_runs("/no/such/directory", "arm64"), BINFMT_NO);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_an_entry_is_known_by_its_magic),
		TEST(test_what_no_container_would_find),
		TEST(test_what_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
