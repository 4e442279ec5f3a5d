/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walks the field tables themselves: for each property that they have, a document with a value of the wrong type is made
 * and must be refused at that very place. A new row is tested without anybody thinking of it.
 */
#include "case.h"

#include "spec/config_read.h"

/* What stands before and after the place that is being looked at, and its pointer. */
struct place {
	char before[512], after[64], pointer[256];
};

static unsigned n_rows;

/* snprintf() that must fit */
PRINTF_LIKE(3, 4) static void put(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	assert_in_range(vsnprintf(buf, size, fmt, ap), 1, size - 1);
	va_end(ap);
}

static const char *wrong_value(enum field_kind kind)
{
	return kind == FIELD_BOOL || kind == FIELD_OPT_BOOL ? "7" : "true";
}

static void check_refused(const struct place *at, const struct field *f)
{
	char text[1024], pointer[512];
	struct arena arena = { 0 };
	struct config *config;
	struct err err = ERR_INIT;

	put(text, sizeof(text), "%s\"%s\":%s}%s", at->before, f->name, wrong_value(f->kind),
	    at->after);
	put(pointer, sizeof(pointer), "%s/%s", at->pointer, f->name);
	if (config_read(&arena, text, strlen(text), &config, &err) != -EINVAL)
		fail_msg("accepted: %s", text);
	assert_string_equal(err.pointer, pointer);
	assert_non_null(strstr(err.text, "expected "));
	assert_non_null(strstr(err.text, wrong_value(f->kind)));
	arena_clear(&arena);
	n_rows++;
}

static void check_ignored(const struct field *f)
{
	assert_non_null(f->why);
	n_rows++;
}

static void walk(const struct place *at, const struct object *object);

/* Descends into @f's object; @open and @close are put around its members, @more is added to the pointer. */
static void descend(const struct place *at, const struct field *f, const char *open,
		    const char *close, const char *more)
{
	struct place inner;

	put(inner.before, sizeof(inner.before), "%s\"%s\":%s", at->before, f->name, open);
	put(inner.after, sizeof(inner.after), "%s}%s", close, at->after);
	put(inner.pointer, sizeof(inner.pointer), "%s/%s%s", at->pointer, f->name, more);
	walk(&inner, f->object);
}

static void walk(const struct place *at, const struct object *object)
{
	for (size_t i = 0; i < object->n_fields; i++) {
		const struct field *f = &object->fields[i];

		if (f->kind == FIELD_IGNORED) {
			check_ignored(f);
			continue;
		}
		check_refused(at, f);
		if (f->kind == FIELD_GROUP || f->kind == FIELD_OBJECT)
			descend(at, f, "{", "", "");
		else if (f->kind == FIELD_OBJECTS)
			descend(at, f, "[{", "]", "/0");
		else if (f->kind == FIELD_OBJECT_MAP)
			descend(at, f, "{\"eth0\":{", "}", "/eth0");
	}
}

static void test_wrong_types(void **state)
{
	struct place top = { .before = "{" };

	walk(&top, &config_object);
	/* The whole of config.md and config-linux.md; fewer would mean that the walk lost its way. */
	assert_in_range(n_rows, 180, 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_wrong_types) };

	return cmocka_run_group_tests_name("config tables", tests, NULL, NULL);
}
