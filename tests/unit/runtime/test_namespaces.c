/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All 3^8 combinations of new, joined and absent namespaces: each is either planned, and then plan_check() proves the plan,
 * or refused with one of a few reasons. The counts are part of the test: a change of them is a change of what is legal.
 */
#include "runtime/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COMBINATIONS 6561 /* 3^8 */

static struct cgroup_hierarchy hierarchy = {
	.v2 = true,
	.mount = "/sys/fs/cgroup",
	.root = "/",
	.controllers = "cpu memory pids",
	.own_path = "/",
};

static const struct facts facts = {
	.capabilities = UINT64_MAX >> 23,
	.kernel_version = 6 << 16 | 1 << 8,
	.last_cap = 40,
	.namespaces = UINT64_MAX,
	.cgroup = { .mode = CGROUP_V2, .items = &hierarchy, .n = 1 },
	.seccomp = true,
};

struct reason {
	const char *part; /* of the message */
	size_t n;
};

/* Digit @type of @number in base 3 is the mode of that namespace. */
static enum ns_mode mode_of(unsigned number, int type)
{
	while (type-- > 0)
		number /= 3;
	return (enum ns_mode)(number % 3);
}

static const char user_maps[] =
	",\"uidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536}],"
	"\"gidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536}]";

/* Properties that each want a namespace of the container's own: uts, mount, network, ipc, time. */
static const char wishes[] =
	"\"hostname\":\"web\",\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\"}],";
static const char linux_wishes[] =
	",\"sysctl\":{\"net.ipv4.ip_forward\":\"1\",\"kernel.msgmax\":\"9000\"},"
	"\"timeOffsets\":{\"boottime\":{\"secs\":100}}";

static char *namespace_list(struct arena *arena, unsigned number)
{
	char *list = arena_strdup(arena, "");

	for (int type = 0; type < NS_TYPES; type++) {
		enum ns_mode mode = mode_of(number, type);
		const char *comma = *list ? "," : "";

		if (mode == NS_NEW)
			list = arena_printf(arena, "%s%s{\"type\":\"%s\"}", list, comma,
					    ns_names[type]);
		if (mode == NS_JOIN)
			list = arena_printf(arena, "%s%s{\"type\":\"%s\",\"path\":\"/ns/%s\"}",
					    list, comma, ns_names[type], ns_names[type]);
	}
	return list;
}

/* The config.json of one combination; a new user namespace has mappings, since without them it is no config at all. */
static char *config_text(struct arena *arena, unsigned number, bool wishful)
{
	return arena_printf(
		arena,
		"{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},%s\"process\":{\"cwd\":"
		"\"/\","
		"\"args\":[\"/bin/"
		"true\"],\"user\":{\"uid\":0,\"gid\":0}},\"linux\":{\"namespaces\":[%s]%s%s}}",
		wishful ? wishes : "", namespace_list(arena, number),
		mode_of(number, NS_USER) == NS_NEW ? user_maps : "", wishful ? linux_wishes : "");
}

/* Return: whether it was planned; the reasons against are counted. */
static bool try_combination(unsigned number, bool run, bool wishful, struct reason *reasons,
			    size_t n_reasons)
{
	struct create_options options = {
		.id = "web",
		.bundle = "/bundle",
		.rootfs = "/bundle/rootfs",
		.run = run,
	};
	struct plan_input in = { .facts = &facts, .options = &options };
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;
	struct plan plan = { 0 };
	struct config *config;
	char *text = config_text(&arena, number, wishful);
	int r;

	r = config_read(&arena, text, strlen(text), &config, &err);
	if (r == 0) {
		in.config = config;
		r = plan_create(&plan, &in, &err);
	}
	if (r == 0 && plan_check(&plan, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	plan_clear(&plan);
	if (r == 0)
		return true;

	for (size_t i = 0; i < n_reasons; i++) {
		if (strstr(err.text, reasons[i].part)) {
			assert_string_not_equal(err.pointer, "");
			reasons[i].n++;
			return false;
		}
	}
	fail_msg("%s: refused without a known reason: %s", text, err.text);
	return false;
}

/* Return: how many were planned */
static size_t try_all(bool run, bool wishful, struct reason *reasons, size_t n_reasons)
{
	size_t planned = 0, refused = 0;

	for (unsigned number = 0; number < COMBINATIONS; number++) {
		if (try_combination(number, run, wishful, reasons, n_reasons))
			planned++;
	}
	for (size_t i = 0; i < n_reasons; i++) {
		print_message("# %zu refused: %s\n", reasons[i].n, reasons[i].part);
		refused += reasons[i].n;
	}
	print_message("# %zu planned, %zu refused\n", planned, refused);
	assert_int_equal(planned + refused, COMBINATIONS);
	return planned;
}

/* By itself no combination is illegal: a process can be in any mixture of namespaces. */
static void test_run(void **state)
{
	assert_int_equal(try_all(true, false, NULL, 0), COMBINATIONS);
}

static void test_create(void **state)
{
	assert_int_equal(try_all(false, false, NULL, 0), COMBINATIONS);
}

/* What makes one illegal is a property that would change somebody else's namespace. */
static void test_wishes(void **state)
{
	static const size_t expected[] = { 2187, 1458, 1458, 486, 486, 162, 108 };
	struct reason reasons[] = {
		{ "without a uts namespace this would rename the host", 0 },
		{ "there is no time namespace to have offsets", 0 },
		{ "the offsets of a time namespace that is joined can't change", 0 },
		{ "mounts would change the host", 0 },
		{ "mounts would change the joined mount namespace", 0 },
		{ "it belongs to the network namespace, which the container shares with the host",
		  0 },
		{ "it belongs to the ipc namespace, which the container shares with the host", 0 },
	};

	/* new or joined uts, network and ipc (8 of 27), a new mount and a new time namespace, the other three as they like */
	assert_int_equal(try_all(true, true, reasons, ARRAY_LEN(reasons)), 8 * 27);
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		assert_int_equal(reasons[i].n, expected[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_wishes),
	};

	return cmocka_run_group_tests_name("namespaces", tests, NULL, NULL);
}
