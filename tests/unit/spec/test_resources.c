/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Merging the change of an update with what a container has. */
#include "spec/resources.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define CONFIG(linux)   "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"}" linux "}"
#define RESOURCES(text) CONFIG(",\"linux\":{\"sysctl\":{},\"resources\":{" text "}}")

struct row {
	const char *what;
	const char *config, *change;
	const char *saved; /* linux.resources in the new config.json */
};

static const struct row rows[] = {
	{ "a member", RESOURCES("\"memory\":{\"limit\":1}"), "{\"memory\":{\"limit\":2}}",
	  "{\"memory\":{\"limit\":2}}" },
	{ "a member beside others",
	  RESOURCES("\"memory\":{\"limit\":1,\"swappiness\":5},\"x\":[1.50]"),
	  "{\"memory\":{\"limit\":2},\"pids\":{\"limit\":3}}",
	  "{\"memory\":{\"limit\":2,\"swappiness\":5},\"x\":[1.50],\"pids\":{\"limit\":3}}" },
	{ "into nothing", CONFIG(""), "{\"pids\":{\"limit\":3}}", "{\"pids\":{\"limit\":3}}" },
	{ "into a section without it", CONFIG(",\"linux\":{}"), "{\"pids\":{\"limit\":3}}",
	  "{\"pids\":{\"limit\":3}}" },
	{ "into null", CONFIG(",\"linux\":null"), "{\"pids\":{\"limit\":3}}",
	  "{\"pids\":{\"limit\":3}}" },
	{ "nothing", RESOURCES("\"pids\":{\"limit\":3}"), "{}", "{\"pids\":{\"limit\":3}}" },
	{ "zeros that mean unset",
	  RESOURCES("\"memory\":{\"limit\":7},\"cpu\":{\"shares\":8,\"cpus\":\"0\"}"),
	  "{\"memory\":{\"limit\":0},\"cpu\":{\"shares\":0,\"cpus\":\"\",\"quota\":null}}",
	  "{\"memory\":{\"limit\":7},\"cpu\":{\"shares\":8,\"cpus\":\"0\"}}" },
	{ "zeros that are values",
	  RESOURCES("\"pids\":{\"limit\":3},\"cpu\":{\"idle\":1,\"burst\":5}"),
	  "{\"pids\":{\"limit\":0},\"cpu\":{\"idle\":0,\"burst\":0}}",
	  "{\"pids\":{\"limit\":0},\"cpu\":{\"idle\":0,\"burst\":0}}" },
	{ "an entry of a list",
	  RESOURCES("\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1},{\"pageSize\":\"1GB\","
		    "\"limit\":2}]"),
	  "{\"hugepageLimits\":[{\"pageSize\":\"1GB\",\"limit\":9}]}",
	  "{\"hugepageLimits\":[{\"pageSize\":\"1GB\",\"limit\":9},{\"pageSize\":\"2MB\",\"limit\":"
	  "1}]}" },
	{ "an entry for another device",
	  RESOURCES(
		  "\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":1}]}"),
	  "{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":1,\"rate\":2}]}}",
	  "{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":1,\"rate\":2},{"
	  "\"major\":8,\"minor\":0,"
	  "\"rate\":1}]}}" },
	{ "devices as a whole",
	  RESOURCES("\"devices\":[{\"allow\":false},{\"allow\":true,\"type\":\"c\"}]"),
	  "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}",
	  "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}" },
	{ "unlimited memory", RESOURCES("\"memory\":{\"limit\":7,\"swap\":9}"),
	  "{\"memory\":{\"limit\":-1}}", "{\"memory\":{\"limit\":-1,\"swap\":-1}}" },
	{ "swap alone", RESOURCES("\"memory\":{\"limit\":7,\"swap\":9}"),
	  "{\"memory\":{\"swap\":8}}", "{\"memory\":{\"limit\":7,\"swap\":8}}" },
	{ "text that needs escapes", RESOURCES("\"unified\":{\"a\\\"b\":\"\\u0007\\n\"}"),
	  "{\"pids\":{\"limit\":1}}",
	  "{\"unified\":{\"a\\\"b\":\"\\u0007\\n\"},\"pids\":{\"limit\":1}}" },
};

static void test_C9_merge(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena arena = { 0 };
		struct resources_change change;
		struct err err = ERR_INIT;
		struct config *config;
		const char *found;

		if (resources_change_read(&arena, rows[i].config, strlen(rows[i].config),
					  rows[i].change, strlen(rows[i].change), NULL, &change,
					  &err) < 0)
			fail_msg("%s: %s %s", rows[i].what, err.pointer, err.text);
		found = strstr(change.config, "\"resources\":");
		assert_non_null(found);
		found += strlen("\"resources\":");
		if (strncmp(found, rows[i].saved, strlen(rows[i].saved)) != 0 ||
		    strcmp(found + strlen(rows[i].saved), "}}") != 0)
			fail_msg("%s: %s", rows[i].what, found);
		/* What is saved is a config again, with the same limits. */
		assert_int_equal(
			config_read(&arena, change.config, change.config_len, &config, &err), 0);
		assert_int_equal(config->linux_.resources.memory.limit.v,
				 change.after.memory.limit.v);
		assert_int_equal(config->linux_.resources.pids_limit.v, change.after.pids_limit.v);
		arena_clear(&arena);
	}
}

#define WITH_RDT(members)                                                                          \
	"{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"},\"linux\":{\"intelRdt\":{" members    \
	"}}}"

static const struct {
	const char *before, *l3, *bandwidth, *after;
} rdt_rows[] = {
	{ "", "L3:0=f", NULL, "{\"l3CacheSchema\":\"L3:0=f\"}" },
	{ "\"closID\":\"gold\",\"memBwSchema\":\"MB:0=10\"", NULL, "MB:0=50",
	  "{\"closID\":\"gold\",\"memBwSchema\":\"MB:0=50\"}" },
	{ "\"l3CacheSchema\":\"L3:0=1\",\"memBwSchema\":\"MB:0=10\"", "L3:0=f", NULL,
	  "{\"memBwSchema\":\"MB:0=10\",\"l3CacheSchema\":\"L3:0=f\"}" },
	/* What comes last is in force. */
	{ "\"schemata\":[\"L3:0=1\",\"L2:0=1\"]", "L3:0=f\nL3:1=7", "MB:0=50",
	  "{\"schemata\":[\"L3:0=1\",\"L2:0=1\",\"L3:0=f\",\"L3:1=7\",\"MB:0=50\"],"
	  "\"l3CacheSchema\":\"L3:0=f\\nL3:1=7\",\"memBwSchema\":\"MB:0=50\"}" },
	{ "\"closID\":\"gold\"", NULL, NULL, "{\"closID\":\"gold\"}" },
};

/* What an update sets of Intel RDT is saved with the rest. */
static void test_C9_I4_schemas_are_saved(void **state)
{
	for (size_t i = 0; i < sizeof(rdt_rows) / sizeof(rdt_rows[0]); i++) {
		const struct config_intel_rdt rdt = { .l3_cache_schema = rdt_rows[i].l3,
						      .mem_bw_schema = rdt_rows[i].bandwidth };
		struct arena arena = { 0 };
		struct resources_change change;
		struct err err = ERR_INIT;
		struct config *config;
		const char *before = arena_printf(&arena, WITH_RDT("%s"), rdt_rows[i].before),
			   *saved = arena_printf(&arena,
						 "\"linux\":{\"intelRdt\":%s,\"resources\":{}}}",
						 rdt_rows[i].after);

		if (resources_change_read(&arena, before, strlen(before), "{}", 2, &rdt, &change,
					  &err) < 0)
			fail_msg("row %zu: %s %s", i, err.pointer, err.text);
		if (!strstr(change.config, saved))
			fail_msg("row %zu: %s", i, change.config);
		if (config_read(&arena, change.config, change.config_len, &config, &err) < 0)
			fail_msg("row %zu: %s %s", i, err.pointer, err.text);
		arena_clear(&arena);
	}
}

static const struct {
	const char *config, *change, *pointer, *text;
} refused[] = {
	{ CONFIG(""), "", "", "read the resources" },
	{ CONFIG(""), "[]", "", "read the resources: expected an object" },
	{ CONFIG(""), "7", "", "expected an object" },
	{ CONFIG(""), "{\"pids\":{\"limit\":\"x\"}}", "/pids/limit", "expected an integer" },
	{ CONFIG(""), "{\"pids\":5}", "/pids", "expected an object" },
	{ CONFIG(""), "{\"memory\":{\"swap\":5}}", "/memory/swap", "needs a limit for memory" },
	{ RESOURCES("\"memory\":{\"limit\":7,\"swap\":9}"), "{\"memory\":{\"limit\":10}}",
	  "/memory/swap", "can't be below the limit of memory" },
	{ RESOURCES("\"cpu\":{\"quota\":2000,\"burst\":2000}"), "{\"cpu\":{\"quota\":1000}}",
	  "/cpu/burst", "can't be above the quota" },
	{ CONFIG(""), "{\"blockIO\":{\"weightDevice\":[{\"major\":1,\"minor\":2}]}}",
	  "/blockIO/weightDevice/0", "neither weight nor leafWeight" },
};

static void test_C9_refused(void **state)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct arena arena = { 0 };
		struct resources_change change;
		struct err err = ERR_INIT;

		assert_int_equal(resources_change_read(&arena, refused[i].config,
						       strlen(refused[i].config), refused[i].change,
						       strlen(refused[i].change), NULL, &change,
						       &err),
				 -EINVAL);
		assert_string_equal(err.pointer, refused[i].pointer);
		if (!strstr(err.text, refused[i].text))
			fail_msg("%s: %s", refused[i].change, err.text);
		arena_clear(&arena);
	}
}

static void test_C9_given(void **state)
{
	static const char change_text[] =
		"{\"memory\":{\"limit\":5,\"swap\":null,\"kernel\":0,\"typo\":1},\"pids\":"
		"{\"limit\":0},\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1}],"
		"\"unified\":{\"a~b\":\"1\"}}";
	struct arena arena = { 0 };
	struct resources_change change;
	struct err err = ERR_INIT;

	assert_int_equal(resources_change_read(&arena, RESOURCES("\"cpu\":{\"shares\":2}"),
					       strlen(RESOURCES("\"cpu\":{\"shares\":2}")),
					       change_text, strlen(change_text), NULL, &change,
					       &err),
			 0);
	assert_true(resources_is_given(&change, "/memory/limit"));
	assert_false(resources_is_given(&change, "/memory/swap"));
	assert_false(resources_is_given(&change, "/memory/kernel"));
	assert_true(resources_is_given(&change, "/pids/limit"));
	assert_false(resources_is_given(&change, "/cpu/shares"));
	assert_true(resources_is_given(&change, "/hugepageLimits/0"));
	assert_false(resources_is_given(&change, "/hugepageLimits/1"));
	assert_true(resources_is_given(&change, "/unified/a~0b"));
	assert_int_equal(change.ignored.n, 1);
	assert_string_equal(change.ignored.items[0].pointer, "/memory/typo");
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_C9_merge),
		cmocka_unit_test(test_C9_I4_schemas_are_saved),
		cmocka_unit_test(test_C9_refused),
		cmocka_unit_test(test_C9_given),
	};

	return cmocka_run_group_tests_name("resources", tests, NULL, NULL);
}
