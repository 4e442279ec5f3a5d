/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The protected copy: this test executes itself, and the second process says what it found. */
#include "os/selfexe.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/capability.h>

#include <cmocka.h>

extern char **environ;

/* Exit statuses of the probe, distinct from those of a crash */
enum { PROBE_PROTECTED = 40, PROBE_BARE, PROBE_FAILED };

/* Without it neither open_tree(CLONE) nor mount_setattr() works, so the memfd must do. */
static void drop_sys_admin(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	syscall(SYS_capget, &header, data);
	data[0].effective &= ~(1u << CAP_SYS_ADMIN);
	data[0].permitted &= ~(1u << CAP_SYS_ADMIN);
	syscall(SYS_capset, &header, data);
}

static int probe(char **argv)
{
	if (strcmp(argv[1], "--bare") == 0)
		return os_selfexe_is_protected() == 0 ? PROBE_BARE : PROBE_FAILED;
	if (strcmp(argv[1], "--memfd") == 0)
		drop_sys_admin();
	if (os_selfexe_protect(argv, environ) < 0)
		return PROBE_FAILED;
	return os_selfexe_is_protected() == 1 ? PROBE_PROTECTED : PROBE_BARE;
}

/* Run this binary, or a copy of it, with one argument. */
static int run_probe(const char *path, const char *how)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execl(path, path, how, NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_a_plain_binary_is_not_protected(void **state)
{
	assert_int_equal(run_probe("/proc/self/exe", "--bare"), PROBE_BARE);
}

static void test_protect_arrives_in_a_protected_copy(void **state)
{
	assert_int_equal(run_probe("/proc/self/exe", "--mount"), PROBE_PROTECTED);
}

static void test_without_rights_a_sealed_memfd_does(void **state)
{
	assert_int_equal(run_probe("/proc/self/exe", "--memfd"), PROBE_PROTECTED);
}

/* The environment must not be able to switch it off: nothing in it is looked at. */
static void test_the_environment_cannot_switch_it_off(void **state)
{
	setenv("TARE_PROTECTED", "1", 1);
	setenv("_LIBCONTAINER_CLONED_BINARY", "1", 1);
	assert_int_equal(run_probe("/proc/self/exe", "--mount"), PROBE_PROTECTED);
	assert_int_equal(run_probe("/proc/self/exe", "--bare"), PROBE_BARE);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_plain_binary_is_not_protected),
		cmocka_unit_test(test_protect_arrives_in_a_protected_copy),
		cmocka_unit_test(test_without_rights_a_sealed_memfd_does),
		cmocka_unit_test(test_the_environment_cannot_switch_it_off),
	};

	if (argc > 1)
		return probe(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
