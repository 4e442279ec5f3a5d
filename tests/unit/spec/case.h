/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of documents for tests. In them ' stands for ", so that JSON can be read in C. Each row becomes a test of its
 * own with the row's name in the report.
 */
#ifndef TARE_TESTS_CASE_H
#define TARE_TESTS_CASE_H

#include "spec/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A document that is complete but for what the row adds; LINUX and the others nest. */
#define DOC(members) "{'ociVersion':'1.3.0','root':{'path':'rootfs'}," members "}"
#define PROCESS(members)                                                                           \
	DOC("'process':{'cwd':'/','args':['sh'],'user':{'uid':0,'gid':0}," members "}")
#define HOOK(members)  DOC("'hooks':{'prestart':[{'path':'/bin/true'," members "}]}")
#define MOUNT(members) DOC("'mounts':[{" members "}]")
#define LINUX(members) DOC("'linux':{" members "}")
#define RESOURCES(m)   LINUX("'resources':{" m "}")
#define SECCOMP(m)     LINUX("'seccomp':{" m "}")

struct refused {
	const char *name; /* row of the requirements and what is wrong */
	const char *doc;
	const char *pointer;
	const char *text;
	const char *hint; /* NULL: none */
};

/* case_text() - @doc with real quotes; the caller's buffer is static, one document at a time */
static inline const char *case_text(const char *doc, size_t *ret_len)
{
	static char text[16384];

	*ret_len = strlen(doc);
	assert_true(*ret_len < sizeof(text));
	for (size_t i = 0; i <= *ret_len; i++)
		text[i] = doc[i] == '\'' ? '"' : doc[i];
	return text;
}

/* case_read() - a document that must be accepted */
static inline struct config *case_read(struct arena *arena, const char *doc)
{
	struct config *config = NULL;
	struct err err = ERR_INIT;
	const char *text;
	size_t len;

	text = case_text(doc, &len);
	if (config_read(arena, text, len, &config, &err) < 0)
		fail_msg("refused: %s at %s", err.text, err.pointer);
	return config;
}

static inline void test_refused(void **state)
{
	const struct refused *row = *state;
	struct arena arena = { 0 };
	struct config *config;
	struct err err = ERR_INIT;
	const char *text;
	size_t len;

	text = case_text(row->doc, &len);
	assert_int_equal(config_read(&arena, text, len, &config, &err), -EINVAL);
	assert_string_equal(err.text, row->text);
	assert_string_equal(err.pointer, row->pointer);
	assert_string_equal(err.hint, row->hint ? row->hint : "");
	assert_int_equal(err.kind, ERR_USER);
	assert_int_equal(err.line, 1);
	arena_clear(&arena);
}

/* case_run() - every row as a test. Return: the number that failed */
static inline int case_run(const char *group, const struct refused *rows, size_t n)
{
	static struct CMUnitTest tests[512];

	if (n > ARRAY_LEN(tests))
		return 1;
	for (size_t i = 0; i < n; i++) {
		tests[i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = test_refused };
		/* cmocka wants it without const and gives it back untouched. */
		memcpy(&tests[i].initial_state, &(const struct refused *){ &rows[i] },
		       sizeof(void *));
	}
	return _cmocka_run_group_tests(group, tests, n, NULL, NULL);
}

#endif
