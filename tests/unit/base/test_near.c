/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which name is nearest, and what is not near at all. */
#include "base/near.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const names[] = { "seccomp",
				     "sysctl",
				     "namespaces",
				     "maskedPaths",
				     "readonlyPaths",
				     "uidMappings",
				     "gidMappings",
				     "devices",
				     "SCMP_ACT_ALLOW",
				     "SCMP_ACT_ERRNO",
				     "a" };

static const char *nearest(const char *word)
{
	struct near near;

	near_init(&near, word);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		near_offer(&near, names[i]);
	return near.best;
}

static void test_near(void **state)
{
	assert_string_equal(nearest("seccomp"), "seccomp");
	assert_string_equal(nearest("SECCOMP"), "seccomp");
	assert_string_equal(nearest("seccompProfile"), "seccomp");
	assert_string_equal(nearest("secomp"), "seccomp");
	assert_string_equal(nearest("esccomp"), "seccomp");
	assert_string_equal(nearest("namespace"), "namespaces");
	assert_string_equal(nearest("maskPaths"), "maskedPaths");
	assert_string_equal(nearest("masked"), "maskedPaths");
	assert_string_equal(nearest("Paths"), "maskedPaths");
	assert_string_equal(nearest("udiMappings"), "uidMappings");
	assert_string_equal(nearest("SCMP_ACT_ERNO"), "SCMP_ACT_ERRNO");
}

static void test_not_near(void **state)
{
	char word[200];

	assert_null(nearest(""));
	assert_null(nearest("apparmor"));
	assert_null(nearest("de"));
	assert_null(nearest("SCMP_ACT_DENY"));
	memset(word, 'a', sizeof(word));
	word[sizeof(word) - 1] = '\0';
	assert_null(nearest(word));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_near),
		cmocka_unit_test(test_not_near),
	};

	return cmocka_run_group_tests_name("near", tests, NULL, NULL);
}
