/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Digests and references: every form that people write, and what is wrong with the others. */
#include "base/arena.h"
#include "spec/digest.h"
#include "spec/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ZEROS64  "0000000000000000000000000000000000000000000000000000000000000000"
#define SHA256   "sha256:" ZEROS64
#define SHA512   "sha512:" ZEROS64 ZEROS64
#define LETTERS8 "abcdefgh"
#define LONG64   LETTERS8 LETTERS8 LETTERS8 LETTERS8 LETTERS8 LETTERS8 LETTERS8 LETTERS8

/* NULL and "" are told apart: a part that is not there is NULL. */
static void assert_part(const char *text, const char *what, const char *got, const char *wanted)
{
	if (!got != !wanted || (got && strcmp(got, wanted) != 0))
		fail_msg("%s: %s is %s instead of %s", text, what, got ? got : "absent",
			 wanted ? wanted : "absent");
}

static void test_references_are_taken_apart(void **state)
{
	static const struct {
		const char *text, *registry, *path, *tag, *digest, *complete;
	} cases[] = {
		{ "nginx", NULL, "nginx", NULL, NULL, "nginx:latest" },
		{ "nginx:1.27", NULL, "nginx", "1.27", NULL, "nginx:1.27" },
		{ "library/nginx", NULL, "library/nginx", NULL, NULL, "library/nginx:latest" },
		{ "docker.io/nginx", "docker.io", "nginx", NULL, NULL,
		  "docker.io/library/nginx:latest" },
		{ "docker.io/me/app:v1", "docker.io", "me/app", "v1", NULL, "docker.io/me/app:v1" },
		{ "index.docker.io/a", "docker.io", "a", NULL, NULL, "docker.io/library/a:latest" },
		{ "registry-1.docker.io/library/a", "docker.io", "library/a", NULL, NULL,
		  "docker.io/library/a:latest" },
		{ "localhost/a", "localhost", "a", NULL, NULL, "localhost/a:latest" },
		{ "localhost:5000/a:b", "localhost:5000", "a", "b", NULL, "localhost:5000/a:b" },
		{ "host:5000/a", "host:5000", "a", NULL, NULL, "host:5000/a:latest" },
		{ "127.0.0.1:5000/a", "127.0.0.1:5000", "a", NULL, NULL,
		  "127.0.0.1:5000/a:latest" },
		{ "[::1]:5000/a:1", "[::1]:5000", "a", "1", NULL, "[::1]:5000/a:1" },
		{ "[fe80::1]/a", "[fe80::1]", "a", NULL, NULL, "[fe80::1]/a:latest" },
		{ "R.Example/a", "R.Example", "a", NULL, NULL, "R.Example/a:latest" },
		{ "r.example/a@" SHA256, "r.example", "a", NULL, SHA256, "r.example/a@" SHA256 },
		{ "r.example/a:v@" SHA512, "r.example", "a", "v", SHA512, "r.example/a:v@" SHA512 },
		{ "a__b/c-d/e---f/g.h/i_j", NULL, "a__b/c-d/e---f/g.h/i_j", NULL, NULL,
		  "a__b/c-d/e---f/g.h/i_j:latest" },
		{ "a:_x.-Y", NULL, "a", "_x.-Y", NULL, "a:_x.-Y" },
		{ "5000/a", NULL, "5000/a", NULL, NULL, "5000/a:latest" },
		{ "a:" LONG64 LONG64, NULL, "a", LONG64 LONG64, NULL, "a:" LONG64 LONG64 },
		{ "r.example/" ZEROS64, "r.example", ZEROS64, NULL, NULL,
		  "r.example/" ZEROS64 ":latest" },
	};
	struct arena arena = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		struct reference ref;

		if (reference_parse(&arena, cases[i].text, &ref, &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_part(cases[i].text, "the registry", ref.registry, cases[i].registry);
		assert_part(cases[i].text, "the path", ref.path, cases[i].path);
		assert_part(cases[i].text, "the tag", ref.tag, cases[i].tag);
		assert_part(cases[i].text, "the digest", ref.digest, cases[i].digest);
		reference_complete(&arena, &ref);
		assert_part(cases[i].text, "all of it", reference_text(&arena, &ref),
			    cases[i].complete);
	}
	arena_clear(&arena);
}

static void test_what_is_no_reference_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *text, *why, *hint;
	} cases[] = {
		{ "", "\"\" names no image: it is empty", "" },
		{ "https://r.example/a", "it is a web address", "leave the \"https://\" out" },
		{ "http://a", "it is a web address", "leave the \"http://\" out" },
		{ "Nginx", "\"Nginx\" can't be part of its name",
		  "names of images are in lower case" },
		{ "a//b", "a part of its name is empty", "" },
		{ "/a", "a part of its name is empty", "" },
		{ "a/", "a part of its name is empty", "" },
		{ "r.example/", "a part of its name is empty", "" },
		{ "a.", "\"a.\" can't be part of its name", "" },
		{ "-a", "\"-a\" can't be part of its name", "" },
		{ "a..b", "\"a..b\" can't be part of its name", "" },
		{ "a___b", "\"a___b\" can't be part of its name", "" },
		{ "../a", "\"..\" is no name of a registry", "" },
		{ "a b", "\"a b\" can't be part of its name", "" },
		{ "a\n", "can't be part of its name", "" },
		{ "a:", "\"\" is no tag", "" },
		{ "a:-b", "\"-b\" is no tag", "" },
		{ "a:b:c", "\"b:c\" is no tag", "" },
		{ "a:" LONG64 LONG64 "x", "is no tag: up to 128", "" },
		{ "a@b", "\"b\" is no digest: a digest is an algorithm", "" },
		{ "a@md5:abc", "is no digest: the algorithms that can be verified are sha256", "" },
		{ "a@sha256:abc", "is no digest: a sha256 has 64 digits", "" },
		{ "a@sha512:" ZEROS64, "is no digest: a sha512 has 128 digits", "" },
		{ "a@sha256:" LONG64, "is no digest: the hash is written in the digits", "" },
		{ ZEROS64, "64 hexadecimal digits are an id and no name", "" },
		{ "-r.example/a", "\"-r.example\" is no name of a registry", "" },
		{ "r..example/a", "\"r..example\" is no name of a registry", "" },
		{ "r.example./a", "\"r.example.\" is no name of a registry", "" },
		{ "r_.example/a", "\"r_.example\" is no name of a registry", "" },
		{ ":5000/a", "\":5000\" is no name of a registry", "" },
		{ "host:/a", "\"host:\" has no valid port", "" },
		{ "host:x/a", "\"host:x\" has no valid port", "" },
		{ "host:123456/a", "\"host:123456\" has no valid port", "" },
		{ "[::1/a", "\"[::1\" is no address of a registry", "" },
		{ "[x]/a", "\"[x]\" is no address of a registry", "" },
		{ "[::1]x/a", "\"[::1]x\" has no valid port", "" },
		{ LONG64 "/" LONG64 "/" LONG64 "/" LONG64, "its name is longer than 255 characters",
		  "" },
	};
	struct arena arena = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		struct reference ref;

		if (reference_parse(&arena, cases[i].text, &ref, &err) != -EINVAL)
			fail_msg("\"%s\" should have been refused", cases[i].text);
		if (!strstr(err.text, cases[i].why) || strcmp(err.hint, cases[i].hint) != 0)
			fail_msg("\"%s\": %s; %s", cases[i].text, err.text, err.hint);
	}
	arena_clear(&arena);
}

static void test_local_names_have_no_port(void **state)
{
	struct arena arena = { 0 };
	struct err err = ERR_INIT;
	struct reference ref;

	assert_int_equal(reference_parse(&arena, "localhost/a", &ref, &err), 0);
	assert_true(reference_is_local(&ref));
	assert_int_equal(reference_parse(&arena, "localhost:5000/a", &ref, &err), 0);
	assert_false(reference_is_local(&ref));
	assert_int_equal(reference_parse(&arena, "a", &ref, &err), 0);
	assert_false(reference_is_local(&ref));
	arena_clear(&arena);
}

static void test_tags_of_referrers(void **state)
{
	char tag[DIGEST_TAG_MAX];

	assert_string_equal(digest_referrers_tag("sha256:" ZEROS64, tag), "sha256-" ZEROS64);
	assert_string_equal(digest_referrers_tag("sha512:" ZEROS64 ZEROS64, tag),
			    "sha512-" ZEROS64);
	assert_true(digest_is_referrers_tag("sha512-" ZEROS64));
	assert_false(digest_is_referrers_tag("sha256-" ZEROS64 "0"));
	assert_false(digest_is_referrers_tag("sha256-" ZEROS64 ".sig"));
	assert_false(digest_is_referrers_tag("sha1-" ZEROS64));
	assert_false(digest_is_referrers_tag("sha256:" ZEROS64));
	assert_false(digest_is_referrers_tag("latest"));
}

static void test_digest_text(void **state)
{
	unsigned char hash[64];
	char text[DIGEST_TEXT_MAX];
	enum digest_algorithm algorithm;
	const char *hex, *why;

	for (size_t i = 0; i < sizeof(hash); i++)
		hash[i] = (unsigned char)(i * 37 + 9);
	digest_format(DIGEST_SHA256, hash, text);
	assert_memory_equal(text, "sha256:092e5378", 15);
	assert_int_equal(digest_parse(text, &algorithm, &hex, &why), 0);
	assert_int_equal(algorithm, DIGEST_SHA256);
	assert_ptr_equal(hex, text + 7);
	digest_format(DIGEST_SHA512, hash, text);
	assert_int_equal(strlen(text), DIGEST_TEXT_MAX - 1);
	assert_int_equal(digest_parse(text, &algorithm, &hex, &why), 0);
	assert_int_equal(algorithm, DIGEST_SHA512);
	text[20] = 'A';
	assert_int_equal(digest_parse(text, &algorithm, &hex, &why), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_references_are_taken_apart),
		cmocka_unit_test(test_what_is_no_reference_is_refused_with_the_reason),
		cmocka_unit_test(test_local_names_have_no_port),
		cmocka_unit_test(test_tags_of_referrers),
		cmocka_unit_test(test_digest_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
