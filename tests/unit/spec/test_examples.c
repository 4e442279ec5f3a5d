/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runtime-spec's own good and bad configs (tests/data/config). Where tare decides otherwise than the JSON schema
 * does, the row says why: the schema can't see contradictions, and some files are for other platforms or versions.
 */
#include "spec/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MAX_EXAMPLE 16384

static size_t read_example(const char *name, char *buf)
{
	const char *data = getenv("TEST_DATA");
	char path[512];
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "%s/config/%s", data ? data : "tests/data", name);
	file = fopen(path, "re");
	if (!file)
		fail_msg("open %s", path);
	len = fread(buf, 1, MAX_EXAMPLE, file);
	fclose(file);
	return len;
}

static const struct {
	const char *file;
	const char *refused; /* the whole line, or NULL when it is accepted */
	size_t n_ignored;
} examples[] = {
	{ "good/minimal.json", NULL, 0 },
	{ "good/minimal-for-start.json", NULL, 0 },
	{ "good/linux-rdma.json", NULL, 0 },
	{ "good/freebsd-minimal.json", NULL, 1 },
	{ "good/zos-minimal.json", NULL, 1 },
	/* The schema can't know that there is no namespace to move them to. */
	{ "good/linux-netdevice.json",
	  "read \"netDevices\": there is no network namespace to move devices to "
	  "(config.json /linux/netDevices, line 7)",
	  0 },
	{ "good/freebsd-example.json",
	  "read \"hostname\": without a uts namespace this would rename the host "
	  "(config.json /hostname, line 17)",
	  0 },
	/* Older than 1.0.0, which is the oldest that `features` promises. */
	{ "good/spec-example.json",
	  "read \"ociVersion\": version \"0.5.0-dev\" is not supported "
	  "(config.json /ociVersion, line 2)",
	  0 },
	{ "good/zos-example.json",
	  "read \"ociVersion\": version \"0.5.0-dev\" is not supported "
	  "(config.json /ociVersion, line 2)",
	  0 },

	{ "bad/invalid-json.json",
	  "parse JSON at line 1, column 3: invalid object key (must be a string)", 0 },
	{ "bad/linux-hugepage.json",
	  "read \"pageSize\": expected a size like \"2MB\", got \"64kB\" "
	  "(config.json /linux/resources/hugepageLimits/0/pageSize, line 11)",
	  0 },
	{ "bad/linux-netdevice.json",
	  "read \"name\": expected a string, got 23 "
	  "(config.json /linux/netDevices/eth0/name, line 9)",
	  0 },
	{ "bad/linux-rdma.json",
	  "read \"hcaHandles\": expected an integer from 0 to 4294967295, got \"not a uint32\" "
	  "(config.json /linux/resources/rdma/mlx5_1/hcaHandles, line 10)",
	  0 },
	/* Bad only for who reads "freebsd"; for Linux the spec wants it ignored. */
	{ "bad/freebsd-vnet-disable.json", NULL, 1 },
};

static void test_examples(void **state)
{
	static char text[MAX_EXAMPLE];
	char line[ERR_TEXT_MAX + ERR_POINTER_MAX];

	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		size_t len = read_example(examples[i].file, text);
		struct arena arena = { 0 };
		struct config *config;
		struct err err = ERR_INIT;
		int r = config_read(&arena, text, len, &config, &err);

		err_render(&err, line, sizeof(line));
		print_message("# %s\n", examples[i].file);
		if (examples[i].refused) {
			assert_int_equal(r, -EINVAL);
			assert_string_equal(line, examples[i].refused);
		} else {
			assert_string_equal(line, "");
			assert_int_equal(config->ignored.n, examples[i].n_ignored);
		}
		arena_clear(&arena);
	}
}

/* The longest example, with the version that it is written for today. It has one property in the wrong place. */
static void test_spec_example(void **state)
{
	static char text[MAX_EXAMPLE];
	size_t len = read_example("good/spec-example.json", text);
	char *version = memmem(text, len, "0.5.0-dev", 9);
	struct arena arena = { 0 };
	struct config *c = NULL;
	struct err err = ERR_INIT;

	assert_non_null(version);
	memcpy(version, "1.3.0-dev", 9);
	assert_int_equal(config_read(&arena, text, len, &c, &err), 0);
	assert_string_equal(c->hostname, "slartibartfast");
	assert_int_equal(c->mounts.n, 7);
	assert_int_equal(c->linux_.devices.n, 2);
	for (int i = 0; i < NS_TYPES; i++)
		assert_int_equal(c->linux_.namespaces[i].mode, NS_NEW);
	assert_int_equal(c->ignored.n, 1);
	assert_string_equal(c->ignored.items[0].pointer, "/linux/resources/oomScoreAdj");
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_spec_example),
	};

	return cmocka_run_group_tests_name("examples", tests, NULL, NULL);
}
