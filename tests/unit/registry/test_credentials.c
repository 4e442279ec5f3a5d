/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Credentials: entries, helpers, files in their order; and how one is kept and forgotten. Addresses, too. */
#include "registry/auth_file.h"
#include "registry/helper.h"
#include "registry/url.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct arena arena;
static char directory[] = "/tmp/tare-credentials-XXXXXX";

static const char *path_of(const char *name)
{
	return arena_printf(&arena, "%s/%s", directory, name);
}

static void write_text(const char *name, mode_t mode, const char *text)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static const char *read_text(const char *name)
{
	char text[4096];
	int fd = open(path_of(name), O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text));

	assert_true(n >= 0);
	close(fd);
	return arena_strndup(&arena, text, (size_t)n);
}

static const char *told(int r, const struct credential *credential, const struct err *err)
{
	if (r < 0)
		return arena_strdup(&arena, err->text);
	if (r == 0)
		return "nothing";
	if (credential->identity_token)
		return arena_printf(&arena, "token %s", credential->identity_token);
	return arena_printf(&arena, "%s:%s", credential->username, credential->password);
}

static const char *look_up(const char *text, const char *registry, const char *repository)
{
	struct credential credential = { 0 };
	struct err err = ERR_INIT;
	const struct json *root;
	int r;

	assert_int_equal(json_parse(&arena, text, strlen(text), &root, &err), 0);
	r = auth_lookup(&arena, root, registry, repository, &credential, &err);
	return told(r, &credential, &err);
}

static void test_the_most_specific_entry_counts(void **state)
{
	/* base64: a:1 YTox, b:2 Yjoy, c:3 Yzoz, d:p:w ZDpwOnc= */
	static const char text[] =
		"{\"auths\":{\"r.example/ns/a\":{\"auth\":\"YTox\"},\"r.example/ns\":{\"auth\":\"Yjoy\"},"
		"\"r.example\":{\"auth\":\"Yzoz\"},\"https://h.example/v1/\":{\"auth\":\"ZDpwOnc=\"},"
		"\"https://index.docker.io/v1/\":{\"auth\":\"YTox\"},\"i.example\":{\"auth\":\"YTox\",\"identitytoken\":\"tok\"},"
		"\"p.example\":{\"username\":\"u\",\"password\":\"w\"},\"e.example\":{},\"n.example/x\":{\"auth\":\"YTox\"},"
		"\"bad.example\":{\"auth\":\"!!\"},\"nocolon.example\":{\"auth\":\"YWJj\"}}}";
	static const struct {
		const char *registry, *repository, *found;
	} cases[] = {
		{ "r.example", "ns/a", "a:1" },
		{ "r.example", "ns/b", "b:2" },
		{ "r.example", "nsx", "c:3" },
		{ "r.example", NULL, "c:3" },
		{ "h.example", "x", "d:p:w" },
		{ "docker.io", "library/nginx", "a:1" },
		{ "i.example", "x", "token tok" },
		{ "p.example", "x", "u:w" },
		{ "e.example", "x", "nothing" },
		{ "n.example", "y", "nothing" },
		{ "n.example", NULL, "nothing" },
		{ "unknown.example", "x", "nothing" },
		{ "bad.example", "x",
		  "the entry of \"bad.example\" is malformed: its \"auth\" is no base64 of name:password" },
		{ "nocolon.example", "x",
		  "the entry of \"nocolon.example\" is malformed: its \"auth\" is no base64 of name:password" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(look_up(text, cases[i].registry, cases[i].repository),
				    cases[i].found);
}

static struct credential_places places(const char *first, const char *second)
{
	return (struct credential_places){ .files = { path_of(first), path_of(second) } };
}

static const char *found(const struct credential_places *where, const char *registry)
{
	struct credential credential = { 0 };
	struct err err = ERR_INIT;
	int r = credential_find(&arena, where, registry, NULL, &credential, &err);

	return told(r, &credential, &err);
}

static void test_files_are_asked_in_their_order(void **state)
{
	struct credential_places where = places("one", "two");

	assert_string_equal(found(&where, "r.example"), "nothing");
	write_text("two", 0600, "{\"auths\":{\"r.example\":{\"auth\":\"Yjoy\"}}}");
	assert_string_equal(found(&where, "r.example"), "b:2");
	write_text("one", 0600, "{\"auths\":{\"r.example\":{\"auth\":\"YTox\"}}}");
	assert_string_equal(found(&where, "r.example"), "a:1");
	write_text("one", 0600, "{");
	assert_non_null(strstr(found(&where, "r.example"), "/one\": "));
	where.explicit_file = true;
	where.files[0] = path_of("none");
	assert_non_null(strstr(found(&where, "r.example"), "there is no file"));
}

static void test_helpers_are_programs(void **state)
{
	struct credential_places where = places("helpers", "none");
	const char *path = getenv("PATH");

	setenv("PATH", arena_printf(&arena, "%s:%s", directory, path), 1);
	write_text(
		"docker-credential-mine", 0700,
		"#!/bin/sh\nread -r server\ncase $1:$server in\n"
		"get:r.example) echo '{\"ServerURL\":\"r\",\"Username\":\"u\",\"Secret\":\"s\"}';;\n"
		"get:t.example) echo '{\"Username\":\"<token>\",\"Secret\":\"tok\"}';;\n"
		"get:broken.example) printf 'a\\033[31mb'; exit 3;;\n"
		"*) echo 'credentials not found in native keychain'; exit 1;; esac\n");
	write_text(
		"helpers", 0600,
		"{\"credHelpers\":{\"x.example\":\"absent\",\"y.example\":\"../evil\"},\"credsStore\":\"mine\","
		"\"auths\":{\"r.example\":{},\"f.example\":{\"auth\":\"YTox\"}}}");
	assert_string_equal(found(&where, "r.example"), "u:s");
	assert_string_equal(found(&where, "t.example"), "token tok");
	assert_string_equal(found(&where, "f.example"), "a:1");
	assert_string_equal(found(&where, "other.example"), "nothing");
	assert_non_null(strstr(found(&where, "broken.example"), "exit status 3, \"a\\x1b[31mb\""));
	assert_non_null(strstr(found(&where, "x.example"),
			       "find the credential helper \"docker-credential-absent\""));
	assert_non_null(strstr(found(&where, "y.example"),
			       "\"../evil\" is no name of a credential helper"));
	setenv("PATH", path, 1);
}

static const char *asked(const struct credential_places *where, const char **names, size_t n)
{
	const struct str_list helpers = { names, n };
	struct credential credential;
	struct err err = ERR_INIT;
	int r = credential_ask(&arena, where, &helpers, "r.example", NULL, &credential, &err);

	if (r < 0)
		return arena_strdup(&arena, err.text);
	return r ? arena_printf(&arena, "%s:%s", credential.username, credential.password)
		 : "nothing";
}

/* Spec: containers-registries.conf(5) credential-helpers */
static void test_helpers_and_files_are_asked_in_their_order(void **state)
{
	struct credential_places where = places("ordered", "none");
	const char *path = getenv("PATH");

	setenv("PATH", arena_printf(&arena, "%s:%s", directory, path), 1);
	write_text("docker-credential-knows", 0700,
		   "#!/bin/sh\necho '{\"Username\":\"helper\",\"Secret\":\"1\"}'\n");
	write_text("docker-credential-not", 0700,
		   "#!/bin/sh\necho credentials not found; exit 1\n");
	write_text("docker-credential-fails", 0700, "#!/bin/sh\necho locked; exit 2\n");
	write_text("ordered", 0600, "{\"auths\":{\"r.example\":{\"auth\":\"ZmlsZToy\"}}}");
#define ASKED(...)                                                                                 \
	asked(&where, (const char *[]){ __VA_ARGS__ },                                             \
	      sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *))
	assert_string_equal(asked(&where, NULL, 0), "file:2");
	assert_string_equal(ASKED("not", "fails", "knows"), "helper:1");
	assert_string_equal(ASKED(CREDENTIALS_FILES_HELPER, "knows"), "file:2");
	assert_string_equal(ASKED("not", CREDENTIALS_FILES_HELPER, "knows"), "file:2");
	assert_string_equal(ASKED("knows", CREDENTIALS_FILES_HELPER), "helper:1");
	/* The files are not named, so nobody looks there, unless a person did. */
	assert_string_equal(ASKED("not"), "nothing");
	assert_non_null(strstr(ASKED("fails", "not"), "exit status 2, \"locked\""));
	where.explicit_file = true;
	where.files[1] = NULL;
	assert_string_equal(ASKED("knows"), "file:2");
	setenv("PATH", path, 1);
#undef ASKED
}

static void test_a_credential_is_kept_and_forgotten(void **state)
{
	struct credential_places where = places("sub/auth.json", "other");
	struct credential credential = { .username = "user", .password = "pass:word" };
	struct err err = ERR_INIT;
	const char *left;
	struct stat st;

	assert_int_equal(credential_store(&arena, &where, "r.example", &credential, &err), 0);
	assert_int_equal(stat(path_of("sub/auth.json"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_string_equal(found(&where, "r.example"), "user:pass:word");
	/* What is there beside it stays. */
	write_text(
		"sub/auth.json", 0600,
		"{\"auths\":{\"r.example\":{\"auth\":\"YTox\"},\"r.example/ns\":{\"auth\":\"Yjoy\"},\"https://r.example/v1/\":{\"auth\":\"Yzoz\"}},\"HttpHeaders\":{\"X\":\"y\"}}");
	assert_int_equal(credential_store(&arena, &where, "r.example", &credential, &err), 0);
	assert_non_null(strstr(read_text("sub/auth.json"), "\"HttpHeaders\""));
	assert_non_null(strstr(read_text("sub/auth.json"), "\"Yjoy\""));
	assert_null(strstr(read_text("sub/auth.json"), "\"YTox\""));
	assert_null(strstr(read_text("sub/auth.json"), "\"Yzoz\""));
	assert_int_equal(credential_erase(&arena, &where, "r.example", &left, &err), 1);
	assert_null(left);
	assert_string_equal(found(&where, "r.example"), "nothing");
	assert_int_equal(credential_erase(&arena, &where, "r.example", &left, &err), 0);
	write_text("other", 0600, "{\"auths\":{\"r.example\":{\"auth\":\"Yjoy\"}}}");
	assert_int_equal(credential_erase(&arena, &where, "r.example", &left, &err), 0);
	assert_string_equal(left, path_of("other"));
}

static void test_addresses(void **state)
{
	static const struct {
		const char *base, *text, *whole, *host, *port;
	} cases[] = {
		{ NULL, "https://R.Example/v2/", "https://R.Example/v2/", "r.example", "443" },
		{ NULL, "http://h:5000/a?b=c#d", "http://h:5000/a?b=c", "h", "5000" },
		{ "https://h/v2/", "/v2/x", "https://h/v2/x", "h", "443" },
		{ "https://h/v2/a/b?x=y", "../c", "https://h/v2/c", "h", "443" },
		{ "https://h/", "//other/x", "https://other/x", "other", "443" },
		{ NULL, "https://[::1]:5000/", "https://[::1]:5000/", "[::1]", "5000" },
		{ NULL, "ftp://h/", NULL },
		{ NULL, "file:///etc/passwd", NULL },
		{ NULL, "https://user:pass@h/", NULL },
		{ NULL, "https://", NULL },
		{ "https://h/", "https://h:99999/", NULL },
	};
	const struct curl_functions *curl;
	struct err err = ERR_INIT;

	assert_int_equal(curl_load(&curl, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct url base, url;
		int r = 0;

		if (cases[i].base)
			r = url_resolve(curl, &arena, NULL, cases[i].base, &base, &err);
		assert_int_equal(r, 0);
		r = url_resolve(curl, &arena, cases[i].base ? &base : NULL, cases[i].text, &url,
				&err);
		assert_int_equal(r, cases[i].whole ? 0 : -EINVAL);
		if (r < 0) {
			assert_non_null(strstr(err.text, "can't be used: "));
			continue;
		}
		assert_string_equal(url.text, cases[i].whole);
		assert_string_equal(url.host, cases[i].host);
		assert_string_equal(url.port, cases[i].port);
	}
	assert_string_equal(url_with(&arena, "https://h/t?a=b", "scope", "r:x/y:pull,push z"),
			    "https://h/t?a=b&scope=r%3Ax%2Fy%3Apull%2Cpush%20z");
	assert_true(url_is_loopback("127.3.2.1") && url_is_loopback("localhost") &&
		    url_is_loopback("[::1]"));
	assert_false(url_is_loopback("127.0.0.1.example") || url_is_loopback("128.0.0.1") ||
		     url_is_loopback("localhost.example"));
}

static int make_directory(void **state)
{
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -r %s", directory);
	arena_clear(&arena);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_most_specific_entry_counts),
		cmocka_unit_test(test_files_are_asked_in_their_order),
		cmocka_unit_test(test_helpers_are_programs),
		cmocka_unit_test(test_helpers_and_files_are_asked_in_their_order),
		cmocka_unit_test(test_a_credential_is_kept_and_forgotten),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
