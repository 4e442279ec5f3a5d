/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts: read from a fake /proc and /sys, printed, loaded again; and what a facts file may not leave out or invent. */
#include "runtime/facts.h"

#include "spec/config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

static char tree[64];

/* Where @path is in the tree, in a static buffer; what is above it is made. */
static const char *make_place(const char *path)
{
	static char full[512];

	snprintf(full, sizeof(full), "%s%s", tree, path);
	for (char *slash = full + strlen(tree) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	return full;
}

static void put_link(const char *path, const char *text)
{
	const char *full = make_place(path);

	unlink(full);
	assert_int_equal(symlink(text, full), 0);
}

static void put_file(const char *path, const char *text)
{
	FILE *file = fopen(make_place(path), "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int make_tree(void **state)
{
	strcpy(tree, "/tmp/tare-facts-XXXXXX");
	return mkdtemp(tree) ? 0 : -1;
}

static int remove_tree(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", tree);
	return system(command);
}

/* A host with cgroup2 only, no time namespaces, AppArmor on. */
static void make_host(void)
{
	put_file("/proc/self/ns/pid", "");
	put_file("/proc/self/ns/mnt", "");
	put_link("/proc/self/ns/user", "user:[4026531837]");
	put_file("/proc/self/ns/pid_for_children", "");
	put_file("/proc/self/mountinfo",
		 "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n");
	put_file("/proc/self/cgroup", "0::/init.scope\n");
	put_file("/sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n");
	put_file("/sys/module/apparmor/parameters/enabled", "Y\n");
}

static void test_read_fake_host(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;
	struct facts facts;

	make_host();
	if (facts_read(&arena, tree, &facts, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(facts.namespaces, ns_clone_flags[NS_PID] | ns_clone_flags[NS_MOUNT] |
						   ns_clone_flags[NS_USER]);
	assert_true(facts.apparmor);
	assert_false(facts.selinux);
	assert_int_equal(facts.rootless, geteuid() != 0);
	assert_int_equal(facts.cgroup.mode, CGROUP_V2);
	assert_int_equal(facts.cgroup.n, 1);
	assert_string_equal(facts.cgroup.items[0].mount, "/sys/fs/cgroup");
	assert_string_equal(facts.cgroup.items[0].own_path, "/init.scope");
	assert_string_equal(facts.cgroup.items[0].controllers, "cpu memory pids");
}

/* Root of another user namespace than the initial one is not root of the host. */
static void test_rootless_in_user_namespace(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;
	struct facts facts;

	make_host();
	put_link("/proc/self/ns/user", "user:[4026532100]");
	put_file("/sys/module/apparmor/parameters/enabled", "N\n");
	put_file("/sys/fs/selinux/enforce", "1");
	assert_int_equal(facts_read(&arena, tree, &facts, &err), 0);
	assert_true(facts.rootless);
	assert_false(facts.apparmor);
	assert_true(facts.selinux);
}

static void test_read_without_proc(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;
	char expected[128];
	struct facts facts;

	assert_int_equal(facts_read(&arena, "/nonexistent", &facts, &err), -ENOENT);
	snprintf(expected, sizeof(expected),
		 "open \"/nonexistent/proc/self/ns\": not there (ENOENT)");
	assert_string_equal(err.text, expected);
}

/* The real host: what the kernel itself says can be checked against its files. */
static void test_read_real_host(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;
	struct facts facts;
	FILE *file;
	int last_cap;

	if (facts_read(&arena, "", &facts, &err) < 0)
		fail_msg("%s", err.text);
	file = fopen("/proc/sys/kernel/cap_last_cap", "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &last_cap), 1);
	fclose(file);
	assert_int_equal(facts.last_cap, last_cap);
	assert_int_equal(facts.euid, geteuid());
	assert_true(facts.kernel_version >= (5 << 16 | 10 << 8));
	assert_true(facts.namespaces & ns_clone_flags[NS_PID]);
}

/* A start reads only what its config makes the planners look at. */
static void test_parts(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct config *config;
	struct err err = ERR_INIT;
	struct facts facts;

	make_host();
	config = arena_alloc(&arena, sizeof(*config));
	assert_int_equal(facts_needed(config), FACTS_CGROUPS);
	config->process.apparmor_profile = "web";
	assert_int_equal(facts_needed(config), FACTS_CGROUPS | FACTS_SECURITY);
	config->process.apparmor_profile = "";
	config->linux_.mount_label = "system_u:object_r:container_file_t:s0";
	assert_int_equal(facts_needed(config), FACTS_CGROUPS | FACTS_SECURITY);
	config->linux_.mount_label = NULL;
	assert_int_equal(facts_read_parts(&arena, tree, FACTS_CGROUPS, &facts, &err), 0);
	assert_int_equal(facts.namespaces, UINT64_MAX);
	assert_int_equal(facts.kernel_version, 0);
	assert_false(facts.apparmor);
	assert_int_equal(facts.cgroup.n, 1);

	config->linux_.namespaces[NS_TIME].mode = NS_NEW;
	assert_int_equal(facts_needed(config), FACTS_CGROUPS | FACTS_NAMESPACES);
	assert_int_equal(facts_read_parts(&arena, tree, FACTS_NAMESPACES, &facts, &err), 0);
	assert_false(facts.namespaces & ns_clone_flags[NS_TIME]);
	config->linux_.sysctl.n = 1;
	assert_int_equal(facts_needed(config), FACTS_CGROUPS | FACTS_NAMESPACES | FACTS_VERSION);
}

static void test_print_and_load(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;
	struct facts facts, again;
	char *text;

	make_host();
	assert_int_equal(facts_read(&arena, tree, &facts, &err), 0);
	text = facts_print(&arena, &facts);
	if (facts_load(&arena, text, strlen(text), &again, &err) < 0)
		fail_msg("%s at %s", err.text, err.pointer);
	assert_string_equal(facts_print(&arena, &again), text);
	assert_int_equal(again.capabilities, facts.capabilities);
	assert_int_equal(again.kernel_version, facts.kernel_version);
	assert_int_equal(again.namespaces, facts.namespaces);
	assert_string_equal(again.cgroup.items[0].own_path, "/init.scope");
}

/* ---- files that are refused ------------------------------------------------------------------------------------- */

#define HEAD "{\"euid\":0,\"egid\":0,\"rootless\":false,\"subuids\":[],\"subgids\":[],"
#define TAIL                                                                                       \
	",\"cgroup\":{\"mode\":\"none\",\"hierarchies\":[]},\"apparmor\":false,\"selinux\":false," \
	"\"seccomp\":true}"
#define CAPS "\"capabilities\":\"3f\",\"lastCapability\":40,"
#define REST "\"kernel\":\"6.1\",\"namespaces\":[\"pid\"]"

static const struct {
	const char *json, *text, *pointer;
} refused[] = {
	{ "[]", "read facts: expected an object", "" },
	{ HEAD CAPS REST ",\"selinux\":1"
			 "}",
	  "read facts: \"cgroup\" is missing", "" },
	{ HEAD CAPS REST ",\"colour\":\"red\"" TAIL, "read facts: expected no member of this name",
	  "/colour" },
	{ HEAD "\"capabilities\":\"xyz\",\"lastCapability\":40," REST TAIL,
	  "read facts: expected up to 16 hexadecimal digits, as in /proc/PID/status",
	  "/capabilities" },
	{ HEAD "\"capabilities\":\"3f\",\"lastCapability\":64," REST TAIL,
	  "read facts: expected a number from 0 to 63", "/lastCapability" },
	{ HEAD CAPS "\"kernel\":\"new\",\"namespaces\":[]" TAIL,
	  "read facts: expected a kernel version like \"6.1\"", "/kernel" },
	{ HEAD CAPS "\"kernel\":\"6.1\",\"namespaces\":[\"pid\",\"mind\"]" TAIL,
	  "read facts: expected the name of a namespace, such as \"network\"", "/namespaces/1" },
	{ HEAD CAPS REST ",\"cgroup\":{\"mode\":\"v3\",\"hierarchies\":[]},\"apparmor\":false,"
			 "\"selinux\":false,\"seccomp\":true}",
	  "read facts: expected one of \"none\", \"v1\", \"hybrid\", \"v2\"", "/cgroup/mode" },
	{ HEAD CAPS REST ",\"cgroup\":{\"mode\":\"v2\",\"hierarchies\":[{\"v2\":true}]},"
			 "\"apparmor\":false,\"selinux\":false,\"seccomp\":true}",
	  "read facts: \"mount\" is missing", "/cgroup/hierarchies/0" },
};

static void test_load_refuses(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		defer_arena struct arena arena = { 0 };
		struct err err = ERR_INIT;
		struct facts facts;

		assert_int_equal(
			facts_load(&arena, refused[i].json, strlen(refused[i].json), &facts, &err),
			-EINVAL);
		assert_string_equal(err.text, refused[i].text);
		assert_string_equal(err.pointer, refused[i].pointer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read_fake_host, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(test_rootless_in_user_namespace, make_tree,
						remove_tree),
		cmocka_unit_test(test_read_without_proc),
		cmocka_unit_test(test_read_real_host),
		cmocka_unit_test_setup_teardown(test_parts, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(test_print_and_load, make_tree, remove_tree),
		cmocka_unit_test(test_load_refuses),
	};

	return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
