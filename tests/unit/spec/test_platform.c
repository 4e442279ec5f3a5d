/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Platforms: what people call them, what runs where, and what is chosen from an index. */
#include "spec/media_type.h"
#include "spec/platform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static struct platform parse(const char *text)
{
	const struct platform host = platform_of_machine("x86_64");
	struct platform platform;
	struct err err = ERR_INIT;

	if (platform_parse(&arena, text, &host, &platform, &err) < 0)
		fail_msg("%s", err.text);
	return platform;
}

static int clear(void **state)
{
	arena_clear(&arena);
	return 0;
}

static void test_names(void **state)
{
	static const struct {
		const char *text, *means;
	} cases[] = {
		{ "linux/amd64", "linux/amd64" },
		{ "linux/arm64/v8", "linux/arm64/v8" },
		{ "arm64", "linux/arm64" },
		{ "linux", "linux/amd64" },
		{ "aarch64", "linux/arm64" },
		{ "linux/x86_64", "linux/amd64" },
		{ "linux/armhf", "linux/arm/v7" },
		{ "linux/arm/v6", "linux/arm/v6" },
		{ "i686", "linux/386" },
		{ "windows/amd64", "windows/amd64" },
		{ "linux/riscv64", "linux/riscv64" },
	};
	char text[PLATFORM_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct platform platform = parse(cases[i].text);

		platform_text(&platform, text);
		assert_string_equal(text, cases[i].means);
	}
}

static void test_what_is_no_platform(void **state)
{
	static const char *const cases[] = {
		"",          "/",        "linux/", "/amd64", "linux/arm/v7/x", "Linux/amd64",
		"linux/a b", "linux//v7"
	};
	const struct platform host = platform_of_machine("x86_64");

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct platform platform;
		struct err err = ERR_INIT;

		assert_int_equal(platform_parse(&arena, cases[i], &host, &platform, &err), -EINVAL);
		assert_non_null(strstr(err.text, "is no platform: expected OS/ARCHITECTURE"));
	}
}

static void test_machines(void **state)
{
	static const char *const cases[][2] = {
		{ "x86_64", "linux/amd64" },    { "aarch64", "linux/arm64" },
		{ "armv7l", "linux/arm/v7" },   { "armv6l", "linux/arm/v6" },
		{ "i686", "linux/386" },        { "s390x", "linux/s390x" },
		{ "ppc64le", "linux/ppc64le" }, { "loongarch64", "linux/loong64" }
	};
	char text[PLATFORM_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct platform platform = platform_of_machine(cases[i][0]);

		platform_text(&platform, text);
		assert_string_equal(text, cases[i][1]);
	}
}

static void test_what_runs_where(void **state)
{
	static const struct {
		const char *wanted, *image;
		int runs;
	} cases[] = {
		{ "linux/amd64", "linux/amd64", 100 },
		{ "linux/amd64", "linux/amd64/v1", 100 },
		{ "linux/amd64", "linux/amd64/v2", 0 },
		{ "linux/amd64/v3", "linux/amd64/v2", 99 },
		{ "linux/amd64/v3", "linux/amd64", 98 },
		{ "linux/arm64", "linux/arm64/v8", 100 },
		{ "linux/arm64/v8", "linux/arm64", 100 },
		{ "linux/arm64", "linux/arm64/v9", 0 },
		{ "linux/arm/v7", "linux/arm/v6", 99 },
		{ "linux/arm/v6", "linux/arm/v7", 0 },
		{ "linux/arm/v7", "linux/arm", 100 },
		{ "linux/arm/v6", "linux/arm", 0 },
		{ "linux/arm64", "linux/arm/v7", 0 },
		{ "linux/amd64", "windows/amd64", 0 },
		{ "linux/amd64", "linux/386", 0 },
		{ "linux/mips/x", "linux/mips/x", 100 },
		{ "linux/mips/x", "linux/mips/y", 0 },
		{ "linux/arm64", "linux/aarch64", 100 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct platform wanted = parse(cases[i].wanted), image = parse(cases[i].image);

		if (platform_runs(&wanted, &image) != cases[i].runs)
			fail_msg("%s on %s: %d", cases[i].image, cases[i].wanted,
				 platform_runs(&wanted, &image));
	}
}

static struct descriptor entry(const char *type, const char *platform, const char *name)
{
	struct descriptor descriptor = { .media_type = type, .digest = name };

	if (platform)
		descriptor.platform = parse(platform);
	return descriptor;
}

static const char *choice(const struct image_index *index, const char *wanted)
{
	struct platform platform = parse(wanted);
	const struct descriptor *found = platform_choose(index, &platform);

	return found ? found->digest : "none";
}

static void test_the_best_of_an_index(void **state)
{
	struct descriptor items[] = {
		entry(MEDIA_OCI_MANIFEST, "unknown/unknown", "attestation"),
		entry("application/vnd.in-toto+json", "linux/amd64", "no image"),
		entry(MEDIA_OCI_MANIFEST, NULL, "any"),
		entry(MEDIA_OCI_MANIFEST, "linux/arm/v5", "arm5"),
		entry(MEDIA_OCI_MANIFEST, "linux/arm/v7", "arm7"),
		entry(MEDIA_OCI_MANIFEST, "linux/arm/v6", "arm6"),
		entry(MEDIA_OCI_MANIFEST, "linux/amd64", "first"),
		entry(MEDIA_OCI_MANIFEST, "linux/amd64", "second"),
		entry(MEDIA_OCI_INDEX, "linux/s390x", "nested"),
	};
	const struct image_index index = { .manifests = { items, ARRAY_LEN(items) } };
	const struct image_index few = { .manifests = { items, 2 } };

	assert_string_equal(choice(&index, "linux/amd64"), "first");
	assert_string_equal(choice(&index, "linux/arm/v7"), "arm7");
	assert_string_equal(choice(&index, "linux/arm/v6"), "arm6");
	assert_string_equal(choice(&index, "linux/arm/v5"), "arm5");
	assert_string_equal(choice(&index, "linux/s390x"), "nested");
	assert_string_equal(choice(&index, "linux/riscv64"), "any");
	assert_string_equal(choice(&few, "linux/amd64"), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_what_is_no_platform),
		cmocka_unit_test(test_machines),
		cmocka_unit_test(test_what_runs_where),
		cmocka_unit_test(test_the_best_of_an_index),
	};

	return cmocka_run_group_tests(tests, NULL, clear);
}
