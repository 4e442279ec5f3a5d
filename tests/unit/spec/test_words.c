/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The word tables against the kernel's numbers, and signals by any of their names. */
#include "spec/words.h"

#include "spec/config.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

static uint64_t value(const struct words *words, const char *name)
{
	uint64_t v = 0;

	assert_true(words_find(words, name, &v));
	return v;
}

static void test_values(void **state)
{
	assert_int_equal(value(&words_capability, "CAP_CHOWN"), 0);
	assert_int_equal(value(&words_capability, "CAP_SYS_ADMIN"), 21);
	assert_int_equal(value(&words_capability, "CAP_CHECKPOINT_RESTORE"), 40);
	assert_int_equal(words_capability.n, 41);
	assert_int_equal(value(&words_rlimit, "RLIMIT_NOFILE"), RLIMIT_NOFILE);
	assert_int_equal(words_rlimit.n, RLIM_NLIMITS);
	assert_int_equal(words_namespace.n, NS_TYPES);
	assert_int_equal(value(&words_namespace, "cgroup"), NS_CGROUP);
	assert_int_equal(value(&words_sched_policy, "SCHED_DEADLINE"), 6);
	assert_int_equal(value(&words_sched_flag, "SCHED_FLAG_UTIL_CLAMP_MAX"), 0x40);
	assert_int_equal(value(&words_io_class, "IOPRIO_CLASS_IDLE"), 3);
	assert_int_equal(value(&words_memory_mode, "MPOL_WEIGHTED_INTERLEAVE"), 6);
	assert_int_equal(value(&words_memory_flag, "MPOL_F_STATIC_NODES"), 1 << 15);
	assert_int_equal(value(&words_personality, "LINUX32"), 8);
	assert_int_equal(value(&words_device_type, "u"), 'c');
	assert_int_equal(value(&words_seccomp_action, "SCMP_ACT_KILL"), 0);
	assert_int_equal(value(&words_seccomp_action, "SCMP_ACT_KILL_PROCESS"), 0x80000000U);
	assert_int_equal(value(&words_seccomp_action, "SCMP_ACT_ALLOW"), 0x7fff0000);
	assert_int_equal(value(&words_seccomp_op, "SCMP_CMP_MASKED_EQ"), 7);
	assert_int_equal(value(&words_seccomp_flag, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"), 32);
	assert_int_equal(words_seccomp_arch.n, SECCOMP_ARCHES);
}

static void test_names_and_numbers_agree(void **state)
{
	for (int i = 0; i < SECCOMP_ARCHES; i++)
		assert_int_equal(value(&words_seccomp_arch, seccomp_arch_names[i]), i);
	for (int i = 0; i < NS_TYPES; i++)
		assert_int_equal(value(&words_namespace, ns_names[i]), i);
	for (uint64_t i = 0; i < words_capability.n; i++)
		assert_int_equal(value(&words_capability, words_name(&words_capability, i)), i);
	for (int i = 0; i < HOOK_KINDS; i++)
		assert_non_null(hook_names[i]);
	assert_null(words_name(&words_capability, 63));
	assert_false(words_find(&words_capability, "cap_chown", &(uint64_t){ 0 }));
	assert_string_equal(words_near(&words_capability, "CAP_SYS_ADMN"), "CAP_SYS_ADMIN");
	assert_null(words_near(&words_capability, "whatever"));
}

static const struct {
	const char *text;
	int signal; /* 0: refused */
} signals[] = {
	{ "KILL", SIGKILL },
	{ "SIGKILL", SIGKILL },
	{ "sigterm", SIGTERM },
	{ "Hup", SIGHUP },
	{ "9", 9 },
	{ "1", 1 },
	{ "64", 64 },
	{ "CLD", SIGCHLD },
	{ "POLL", SIGIO },
	{ "0", 0 },
	{ "65", 0 },
	{ "-9", 0 },
	{ "", 0 },
	{ "SIG", 0 },
	{ "SIGFOO", 0 },
	{ "KILL ", 0 },
	{ "9x", 0 },
	{ "RTMIN-1", 0 },
	{ "RTMAX+1", 0 },
	{ "RTMIN+", 0 },
	{ "RTMIN+99", 0 },
	{ "RTMAX-", 0 },
};

static void test_signals(void **state)
{
	int signal;

	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		signal = 0;
		assert_int_equal(signal_parse(signals[i].text, &signal),
				 signals[i].signal ? 0 : -EINVAL);
		assert_int_equal(signal, signals[i].signal);
	}
	assert_int_equal(signal_parse("RTMIN", &signal), 0);
	assert_int_equal(signal, SIGRTMIN);
	assert_int_equal(signal_parse("SIGRTMIN+3", &signal), 0);
	assert_int_equal(signal, SIGRTMIN + 3);
	assert_int_equal(signal_parse("rtmax-1", &signal), 0);
	assert_int_equal(signal, SIGRTMAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_names_and_numbers_agree),
		cmocka_unit_test(test_signals),
	};

	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
