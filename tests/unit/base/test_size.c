/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/size.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define BAD INT64_MIN
#define FAR (INT64_MIN + 1)

static const struct {
	const char *text;
	int64_t bytes;
} sizes[] = {
	{ "0", 0 },
	{ "1", 1 },
	{ "-1", -1 },
	{ "512b", 512 },
	{ "1k", 1024 },
	{ "1K", 1024 },
	{ "1kb", 1024 },
	{ "1KiB", 1024 },
	{ "512m", 512LL << 20 },
	{ "1.5g", 3LL << 29 },
	{ "2 g", 2LL << 30 },
	{ "1t", 1LL << 40 },
	{ "1p", 1LL << 50 },
	{ ".5k", 512 },
	{ "1.", 1 },
	{ "0.3", 0 },
	{ "8191p", 8191LL << 50 },
	{ "", BAD },
	{ "m", BAD },
	{ "-2", BAD },
	{ "-1m", BAD },
	{ "1x", BAD },
	{ "1mm", BAD },
	{ "1bb", BAD },
	{ "1.2.3", BAD },
	{ ".", BAD },
	{ "1 ", 1 },
	{ " 1", BAD },
	{ "+1", BAD },
	{ "0x10", BAD },
	{ "1e3", BAD },
	{ "9999999999999999999", BAD },
	{ "8192p", FAR },
	{ "999999999999999999k", FAR },
};

static void test_C9_sizes(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		int64_t bytes = 77;
		int r = size_parse(sizes[i].text, &bytes);
		int expected = sizes[i].bytes == BAD   ? -EINVAL
			       : sizes[i].bytes == FAR ? -ERANGE
						       : 0;

		if (r != expected || (r == 0 && bytes != sizes[i].bytes) || (r < 0 && bytes != 77))
			fail_msg("\"%s\": %d, %lld", sizes[i].text, r, (long long)bytes);
	}
}

static const struct {
	const char *text;
	int64_t ms;
} durations[] = {
	{ "5s", 5000 },
	{ "500ms", 500 },
	{ "1m30s", 90000 },
	{ "1.5h", 5400000 },
	{ "0", 0 },
	{ "0s", 0 },
	{ "1ns", 1 },
	{ "1500us", 1 },
	{ "1500\xc2\xb5s", 1 },
	{ "2000\xce\xbcs", 2 },
	{ "1h1m1s1ms", 3661001 },
	{ ".5s", 500 },
	{ "", BAD },
	{ "5", BAD },
	{ "s", BAD },
	{ "5x", BAD },
	{ "-5s", BAD },
	{ "5s5", BAD },
	{ "5 s", BAD },
	{ "1d", BAD },
	{ "600h", FAR },
	{ "999999999999999999h", FAR },
	{ "500h100h", FAR },
};

static void test_C7_durations(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
		int32_t ms = 77;
		int r = duration_parse(durations[i].text, &ms);
		int expected = durations[i].ms == BAD   ? -EINVAL
			       : durations[i].ms == FAR ? -ERANGE
							: 0;

		if (r != expected || (r == 0 && ms != durations[i].ms) || (r < 0 && ms != 77))
			fail_msg("\"%s\": %d, %d", durations[i].text, r, (int)ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_C9_sizes),
		cmocka_unit_test(test_C7_durations),
	};

	return cmocka_run_group_tests_name("size", tests, NULL, NULL);
}
