/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registries.conf and policy.json: what they make of a name. */
#include "registry/policy.h"
#include "registry/registries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static void read_conf(const char *text, struct registries *ret)
{
	struct err err = ERR_INIT;

	if (registries_read(&arena, "r.conf", text, strlen(text), ret, &err) < 0)
		fail_msg("%s: %s", text, err.text);
}

static struct reference parse(const char *name)
{
	struct err err = ERR_INIT;
	struct reference reference;

	assert_int_equal(reference_parse(&arena, name, &reference, &err), 0);
	return reference;
}

/* "host path, !host path": "!" is for insecure */
static const char *endpoints(const struct registries *registries, const char *name, bool push)
{
	struct reference reference = parse(name);
	struct endpoint_list list;
	struct err err = ERR_INIT;
	char *text = arena_strdup(&arena, "");

	if (registries_endpoints(&arena, registries, &reference, push, &list, &err) < 0)
		return arena_strdup(&arena, err.text);
	for (size_t i = 0; i < list.n; i++)
		text = arena_printf(&arena, "%s%s%s%s %s", text, i ? ", " : "",
				    list.items[i].insecure ? "!" : "", list.items[i].registry,
				    list.items[i].repository);
	return text;
}

#define ZEROS64 "0000000000000000000000000000000000000000000000000000000000000000"

static void test_names_lead_to_mirrors_and_registries(void **state)
{
	static const char conf[] =
		"[[registry]]\nlocation = 'r.example'\ninsecure = true\n"
		"[[registry]]\nprefix = 'r.example/ns'\nlocation = 'other.example/deep/path'\n"
		"[[registry.mirror]]\nlocation = 'mirror.example/m'\n"
		"[[registry.mirror]]\nlocation = 'digests.example'\npull-from-mirror = 'digest-only'\ninsecure = true\n"
		"[[registry.mirror]]\nlocation = 'tags.example:5000'\npull-from-mirror = 'tag-only'\n"
		"[[registry]]\nprefix = '*.wild.example'\ninsecure = true\n"
		"[[registry]]\nprefix = 'bad.wild.example'\nblocked = true\n"
		"[[registry]]\nprefix = 'docker.io'\nlocation = 'docker.io'\nmirror-by-digest-only = true\n"
		"[[registry.mirror]]\nlocation = 'hub.example/proxy'\n";
	static const struct {
		const char *name, *where;
		bool push;
	} cases[] = {
		{ "plain.example/a", "plain.example a" },
		{ "r.example/a", "!r.example a" },
		{ "r.example/ns/a",
		  "mirror.example m/a, tags.example:5000 a, other.example deep/path/a" },
		{ "r.example/ns/a@sha256:" ZEROS64,
		  "mirror.example m/a, !digests.example a, other.example deep/path/a" },
		{ "r.example/ns/a", "other.example deep/path/a", true },
		{ "r.example/nsx/a", "!r.example nsx/a" },
		{ "a.wild.example/x", "!a.wild.example x" },
		{ "a.b.wild.example:5000/x", "!a.b.wild.example:5000 x" },
		{ "wild.example/x", "wild.example x" },
		{ "notwild.example/x", "notwild.example x" },
		{ "bad.wild.example/x",
		  "registry \"bad.wild.example\" is blocked by registries.conf" },
		{ "docker.io/library/a", "docker.io library/a" },
		{ "docker.io/library/a@sha256:" ZEROS64,
		  "hub.example proxy/library/a, docker.io library/a" },
		{ "localhost/a",
		  "\"localhost/a\" is a name of this machine's own: no registry has it" },
		{ "a", "\"a\" is a short name: it has no registry" },
	};
	struct registries registries = { 0 };

	read_conf(conf, &registries);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(endpoints(&registries, cases[i].name, cases[i].push),
				    cases[i].where);
	arena_clear(&arena);
}

static const char *candidates(const struct registries *registries, const char *name)
{
	struct reference reference = parse(name);
	struct err err = ERR_INIT;
	struct str_list list;
	char *text = arena_strdup(&arena, "");

	if (registries_candidates(&arena, registries, &reference, &list, &err) < 0)
		return arena_printf(&arena, "%s; %s", err.text, err.hint);
	for (size_t i = 0; i < list.n; i++)
		text = arena_printf(&arena, "%s%s%s", text, i ? ", " : "", list.items[i]);
	return text;
}

static void test_short_names_have_candidates(void **state)
{
	struct registries registries = { 0 };

	assert_string_equal(
		candidates(&registries, "nginx"),
		"\"nginx\" names no registry, and registries.conf has neither an alias for it nor registries to be searched; "
		"write the whole name, such as \"docker.io/library/nginx\"; or set unqualified-search-registries");
	read_conf(
		"unqualified-search-registries = ['docker.io', 'quay.example']\n"
		"short-name-mode = 'permissive'\n[aliases]\n'a' = 'r.example/x/a'\n'b' = 'r.example/b'\n",
		&registries);
	assert_int_equal(registries.short_names, SHORT_NAMES_PERMISSIVE);
	assert_string_equal(candidates(&registries, "nginx"),
			    "docker.io/library/nginx, quay.example/nginx");
	assert_string_equal(candidates(&registries, "me/nginx"),
			    "docker.io/me/nginx, quay.example/me/nginx");
	assert_string_equal(candidates(&registries, "a"), "r.example/x/a");
	/* Later files take the place of what earlier ones say. */
	read_conf("unqualified-search-registries = []\n[aliases]\na = 'other.example/a'\nb = ''\n",
		  &registries);
	assert_string_equal(candidates(&registries, "a"), "other.example/a");
	assert_non_null(strstr(candidates(&registries, "b"), "names no registry"));
	arena_clear(&arena);
}

static void test_a_later_file_replaces_rules_and_helpers(void **state)
{
	struct registries registries = { 0 };

	read_conf("credential-helpers = ['containers-auth-file', 'secretservice']\n"
		  "[[registry]]\nlocation = 'a.example'\nblocked = true\n"
		  "[[registry]]\nlocation = 'b.example'\nblocked = true\n",
		  &registries);
	assert_int_equal(registries.helpers.n, 2);
	assert_string_equal(registries.helpers.items[1], "secretservice");
	read_conf(
		"credential-helpers = []\n[[registry]]\nlocation = 'a.example'\ninsecure = true\n",
		&registries);
	assert_int_equal(registries.helpers.n, 0);
	assert_int_equal(registries.n_rules, 2);
	assert_string_equal(endpoints(&registries, "a.example/x", false), "!a.example x");
	assert_non_null(strstr(endpoints(&registries, "b.example/x", false), "is blocked"));
	arena_clear(&arena);
}

static void test_unknown_names_are_told(void **state)
{
	struct registries registries = { 0 };

	read_conf("colour = 'red'\n[[registry]]\nlocation = 'a.example'\nbloked = true\n",
		  &registries);
	assert_int_equal(registries.unknown.n, 2);
	assert_non_null(strstr(registries.unknown.items[0], "r.conf: /colour: "));
	assert_non_null(strstr(registries.unknown.items[1], "/registry/0/bloked"));
	arena_clear(&arena);
}

static void test_what_is_wrong_in_registries_conf_is_refused(void **state)
{
	static const struct {
		const char *conf, *why;
	} cases[] = {
		{ "x", "read \"r.conf\": line 1: expected \"=\"" },
		{ "\n[registries.search]\nregistries = []",
		  "line 2: read \"registries\": this is version 1 of the format" },
		{ "short-name-mode = 'off'",
		  "line 1: read \"short-name-mode\": \"off\" is not a mode for short names" },
		{ "[[registry]]\nblocked = true", "it has neither a prefix nor a location" },
		{ "[[registry]]\nlocation = 'https://r.example'", "is a web address" },
		{ "[[registry]]\nlocation = 'r.example/'", "ends with a \"/\"" },
		{ "[[registry]]\nprefix = 'r.example/a:tag'", "has a tag or a digest" },
		{ "[[registry]]\nprefix = '*.r.example'\nlocation = 'x.example'",
		  "can't have a location" },
		{ "[[registry]]\nprefix = 'r.*.example'", "a \"*\" may only stand" },
		{ "[[registry]]\nlocation = 'r.example'\ninsecure = 'yes'",
		  "line 3: read \"insecure\"" },
		{ "[[registry]]\nlocation = 'r.example'\n[[registry.mirror]]\ninsecure = true",
		  "\"location\" is missing" },
		{ "unqualified-search-registries = 'docker.io'", "expected an array" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct registries registries = { 0 };
		struct err err = ERR_INIT;

		if (registries_read(&arena, "r.conf", cases[i].conf, strlen(cases[i].conf),
				    &registries, &err) != -EINVAL)
			fail_msg("%s should have been refused", cases[i].conf);
		if (!strstr(err.text, cases[i].why))
			fail_msg("%s: %s", cases[i].conf, err.text);
		assert_string_equal(err.pointer, "");
	}
	arena_clear(&arena);
}

/* ---- policy.json ------------------------------------------------------------------------------------------------ */

#define ACCEPT "[{\"type\":\"insecureAcceptAnything\"}]"
#define REJECT "[{\"type\":\"reject\"}]"
#define SIGNED "[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"/k\"}]"

static const char *judge(const struct policy *policy, const char *name)
{
	struct reference reference = parse(name);
	struct err err = ERR_INIT;

	return policy_check_registry(policy, &reference, &err) == 0
		       ? ""
		       : arena_strdup(&arena, err.text);
}

static void test_the_nearest_scope_of_a_policy_decides(void **state)
{
	static const char text[] =
		"{\"default\":" REJECT ",\"transports\":{\"docker\":{"
		"\"r.example\":" ACCEPT ",\"r.example/ns\":" REJECT ",\"r.example/ns/a:v1\":" ACCEPT
		",\"*.wild.example\":" ACCEPT ",\"s.example\":" SIGNED
		",\"docker.io/library\":" ACCEPT
		",\"both.example\":[{\"type\":\"insecureAcceptAnything\"},{\"type\":\"sigstoreSigned\"}]},"
		"\"oci\":{\"\":" ACCEPT ",\"/srv/bad\":" REJECT "}}}";
	static const struct {
		const char *name, *why;
	} cases[] = {
		{ "r.example/a", NULL },
		{ "r.example/nsx/a", NULL },
		{ "r.example/ns/a", "\"p.json\" rejects it (/transports/docker/r.example~1ns/0)" },
		{ "r.example/ns/a:v1", NULL },
		{ "r.example/ns/a:v1@sha256:" ZEROS64, "rejects it" },
		{ "x.wild.example/a", NULL },
		{ "x.y.wild.example/a", NULL },
		{ "wild.example/a", "rejects it (/default/0)" },
		{ "docker.io/library/a", NULL },
		{ "docker.io/me/a", "rejects it" },
		{ "s.example/a",
		  "\"p.json\" demands a signature (/transports/docker/s.example/0), and signatures can't be checked here" },
		{ "both.example/a", "demands a signature (/transports/docker/both.example/1)" },
	};
	struct err err = ERR_INIT;
	struct policy policy;

	if (policy_read(&arena, "p.json", text, strlen(text), &policy, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *said = judge(&policy, cases[i].name);

		if (cases[i].why ? !strstr(said, cases[i].why) : *said != '\0')
			fail_msg("%s: \"%s\"", cases[i].name, said);
	}
	assert_int_equal(policy_check_file(&policy, "oci", "/srv/good", &err), 0);
	assert_int_equal(policy_check_file(&policy, "oci", "/srv/bad/x", &err), -EACCES);
	assert_int_equal(policy_check_file(&policy, "docker-archive", "/a.tar", &err), -EACCES);
	arena_clear(&arena);
}

static void test_without_a_policy_everything_is_accepted(void **state)
{
	struct policy policy = { 0 };

	assert_string_equal(judge(&policy, "r.example/a"), "");
	arena_clear(&arena);
}

static void test_a_policy_with_a_slip_in_it_is_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "{}", "\"default\" is missing" },
		{ "[]", "it is no JSON object" },
		{ "{\"default\":[]}", "\"/default\" must be a list of at least one requirement" },
		{ "{\"default\":[{\"type\":\"Reject\"}]}",
		  "\"/default/0\" is of no type that is known" },
		{ "{\"default\":[{}]}", "is of no type" },
		{ "{\"default\":" ACCEPT ",\"transport\":{}}", "\"/transport\" is not known" },
		{ "{\"default\":" ACCEPT ",\"transports\":[]}",
		  "\"/transports\" must be an object" },
		{ "{\"default\":" ACCEPT ",\"transports\":{\"docker\":[]}}",
		  "\"/transports/docker\" must be an object" },
		{ "{\"default\":" ACCEPT ",\"transports\":{\"docker\":{\"a\":{}}}}",
		  "\"/transports/docker/a\" must be a list" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;
		struct policy policy;

		if (policy_read(&arena, "p.json", cases[i].text, strlen(cases[i].text), &policy,
				&err) != -EINVAL)
			fail_msg("%s should have been refused", cases[i].text);
		if (!strstr(err.text, cases[i].why))
			fail_msg("%s: %s", cases[i].text, err.text);
	}
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_lead_to_mirrors_and_registries),
		cmocka_unit_test(test_short_names_have_candidates),
		cmocka_unit_test(test_a_later_file_replaces_rules_and_helpers),
		cmocka_unit_test(test_unknown_names_are_told),
		cmocka_unit_test(test_what_is_wrong_in_registries_conf_is_refused),
		cmocka_unit_test(test_the_nearest_scope_of_a_policy_decides),
		cmocka_unit_test(test_without_a_policy_everything_is_accepted),
		cmocka_unit_test(test_a_policy_with_a_slip_in_it_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
