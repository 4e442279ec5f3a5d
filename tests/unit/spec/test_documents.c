/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The documents that we write: state, features, and the template, which we must be able to read ourselves. */
#include "base/json.h"
#include "base/version.h"
#include "spec/config.h"
#include "spec/features.h"
#include "spec/state_doc.h"
#include "spec/template.h"
#include "spec/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct json *parse(struct arena *arena, struct json_writer *w)
{
	const struct json *root = NULL;
	struct err err;
	size_t len;
	char *text = json_writer_text(w, &len);

	if (json_parse(arena, text, len, &root, &err) < 0)
		fail_msg("%s in %s", err.text, text);
	return root;
}

/* ---- state -------------------------------------------------------------------------------------------------- */

static void test_Y2_Y4_state(void **state)
{
	struct key_value annotations[] = { { "a", "b \"c\"" }, { "d", "" } };
	struct state_doc doc = { .id = "web",
				 .status = "running",
				 .bundle = "/b",
				 .pid = 42,
				 .annotations = { annotations, 2 },
				 .rootfs = "/b/r",
				 .created = "2026",
				 .owner = "root" };
	struct arena arena = { 0 };
	struct json_writer w;

	json_writer_init(&w, &arena, 0);
	state_doc_write(&w, NULL, &doc);
	assert_string_equal(
		json_writer_text(&w, NULL),
		"{\"ociVersion\":\"1.3.0\",\"id\":\"web\",\"pid\":42,\"status\":\"running\",\"bundle\":\"/b\","
		"\"rootfs\":\"/b/r\",\"created\":\"2026\",\"annotations\":{\"a\":\"b \\\"c\\\"\",\"d\":\"\"},"
		"\"owner\":\"root\"}");

	doc = (struct state_doc){ .id = "web", .status = "stopped", .bundle = "/b" };
	json_writer_init(&w, &arena, 0);
	state_doc_write(&w, NULL, &doc);
	assert_string_equal(
		json_writer_text(&w, NULL),
		"{\"ociVersion\":\"1.3.0\",\"id\":\"web\",\"pid\":0,\"status\":\"stopped\",\"bundle\":\"/b\"}");
	arena_clear(&arena);
}

static void test_Y2_Y4_state_with_a_hole(void **state)
{
	struct key_value annotations[] = { { "\"pid\":", "x" } };
	struct state_doc doc = { .id = "\"pid\":",
				 .status = "creating",
				 .bundle = "/b",
				 .pid = 7,
				 .annotations = { annotations, 1 } };
	const char *before, *after;
	struct arena arena = { 0 };
	const struct json *root;
	struct err err;
	uint64_t pid;
	char *text;

	state_doc_split(&arena, &doc, &before, &after);
	text = arena_printf(&arena, "%s%d%s", before, 4321, after);
	assert_int_equal(json_parse(&arena, text, strlen(text), &root, &err), 0);
	assert_int_equal(json_u64(json_member(root, "pid"), &pid), 0);
	assert_int_equal(pid, 4321);
	assert_string_equal(json_string(json_member(root, "id")), "\"pid\":");
	assert_string_equal(json_string(json_member(root, "status")), "creating");
	arena_clear(&arena);
}

/* ---- features ----------------------------------------------------------------------------------------------- */

static bool has_string(const struct json *list, const char *text)
{
	const struct json *entry;

	json_each(entry, list) {
		if (!strcmp(json_string(entry), text))
			return true;
	}
	return false;
}

static bool is_enabled(const struct json *object, const char *name)
{
	return json_member(json_member(object, name), "enabled")->boolean;
}

/* The document, written and read again, once for all tests of it. */
static const struct json *features(void)
{
	static const char *const options[] = { "ro", "bind", "tmpcopyup" };
	static struct arena arena;
	static const struct json *root;
	struct json_writer w;

	if (root)
		return root;
	json_writer_init(&w, &arena, 4);
	features_write(&w, &arena, options, ARRAY_LEN(options));
	root = parse(&arena, &w);
	return root;
}

static const struct json *features_linux(const char *name)
{
	return json_member(json_member(features(), "linux"), name);
}

static void test_F1_F2_F3_versions_hooks_mount_options(void **state)
{
	const struct json *root = features(), *options = json_member(root, "mountOptions");

	assert_string_equal(json_string(json_member(root, "ociVersionMin")), "1.0.0");
	assert_string_equal(json_string(json_member(root, "ociVersionMax")), "1.3.0");
	assert_int_equal(json_member(root, "hooks")->len, 6);
	assert_int_equal(options->len, 3);
	assert_string_equal(json_string(json_entry(options, 0)), "bind");
	assert_string_equal(json_string(json_entry(options, 1)), "ro");
	assert_string_equal(json_string(json_entry(options, 2)), "tmpcopyup");
}

static void test_F4_F5_namespaces_and_capabilities(void **state)
{
	assert_int_equal(features_linux("namespaces")->len, NS_TYPES);
	assert_true(has_string(features_linux("namespaces"), "time"));
	assert_int_equal(features_linux("capabilities")->len, 41);
	assert_true(has_string(features_linux("capabilities"), "CAP_CHECKPOINT_RESTORE"));
}

static void test_F6_cgroup(void **state)
{
	const struct json *cgroup = features_linux("cgroup");

	assert_true(json_member(cgroup, "v1")->boolean);
	assert_true(json_member(cgroup, "v2")->boolean);
	assert_true(json_member(cgroup, "rdma")->boolean);
	assert_true(json_member(cgroup, "systemd")->boolean);
	assert_true(json_member(cgroup, "systemdUser")->boolean);
}

static void test_F7_seccomp(void **state)
{
	const struct json *seccomp = features_linux("seccomp");

	assert_true(json_member(seccomp, "enabled")->boolean);
	assert_int_equal(json_member(seccomp, "actions")->len, 9);
	assert_true(has_string(json_member(seccomp, "actions"), "SCMP_ACT_NOTIFY"));
	assert_true(has_string(json_member(seccomp, "actions"), "SCMP_ACT_KILL"));
	assert_int_equal(json_member(seccomp, "operators")->len, 7);
	assert_int_equal(json_member(seccomp, "archs")->len, SECCOMP_ARCHES);
	assert_int_equal(json_member(seccomp, "knownFlags")->len, 4);
	assert_int_equal(json_member(seccomp, "supportedFlags")->len, 4);
	assert_true(has_string(json_member(seccomp, "supportedFlags"),
			       "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"));
}

static void test_F9_F12_what_the_hardware_has(void **state)
{
	const struct json *linux_ = json_member(features(), "linux");

	assert_true(is_enabled(linux_, "intelRdt"));
	assert_true(json_member(json_member(linux_, "intelRdt"), "schemata")->boolean);
	assert_true(json_member(json_member(linux_, "intelRdt"), "monitoring")->boolean);
	assert_true(is_enabled(linux_, "netDevices"));
}

/* The schema has no memoryPolicy, the prose has. */
static void test_F10_F11_F16_memory_policy_and_idmap(void **state)
{
	assert_int_equal(json_member(features_linux("memoryPolicy"), "modes")->len, 7);
	assert_int_equal(json_member(features_linux("memoryPolicy"), "flags")->len, 3);
	assert_true(is_enabled(features_linux("mountExtensions"), "idmap"));
}

static void test_F13_F14_Z20_annotations(void **state)
{
	const struct json *unsafe = json_member(features(), "potentiallyUnsafeConfigAnnotations");
	const struct json *annotations = json_member(features(), "annotations"), *entry;

	json_each(entry, annotations)
		assert_non_null(json_string(entry));
	assert_string_equal(json_string(json_member(annotations, "run.tare.version")),
			    tare_version);
	assert_int_equal(unsafe->len, 11);
	assert_true(has_string(unsafe, "org.criu.config"));
	assert_true(has_string(unsafe, "org.systemd.property."));
	assert_true(has_string(unsafe, "run.oci.delegate-cgroup"));
	assert_true(has_string(unsafe, "run.oci.systemd.subgroup"));
	assert_true(has_string(unsafe, "run.oci.hooks.stdout"));
	assert_true(has_string(unsafe, "run.oci.hooks.stderr"));
	assert_true(has_string(unsafe, "run.oci.keep_original_groups"));
	assert_true(has_string(unsafe, "run.oci.pidfd_receiver"));
}

/* F-1: what features promises as the oldest and the newest version must be accepted. */
static void test_F1_promised_versions_are_read(void **state)
{
	static const char *const versions[] = { SPEC_VERSION_MIN, SPEC_VERSION };

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct arena arena = { 0 };
		struct config *config;
		struct err err;
		char *text = arena_printf(
			&arena, "{\"ociVersion\":\"%s\",\"root\":{\"path\":\"r\"}}", versions[i]);

		assert_int_equal(config_read(&arena, text, strlen(text), &config, &err), 0);
		arena_clear(&arena);
	}
}

/* ---- template ----------------------------------------------------------------------------------------------- */

static void test_template(void **state)
{
	struct arena arena = { 0 };
	struct json_writer w;
	struct config *c = NULL;
	struct err err = ERR_INIT;
	size_t len;
	char *text;

	json_writer_init(&w, &arena, 4);
	template_write(&w);
	text = json_writer_text(&w, &len);
	assert_int_equal(config_read(&arena, text, len, &c, &err), 0);
	assert_int_equal(c->ignored.n, 0);
	assert_string_equal(c->process.args.items[0], "sh");
	assert_true(c->process.terminal);
	assert_true(c->process.no_new_privileges);
	assert_true(c->root.readonly);
	assert_int_equal(c->process.capabilities.unknown.n, 0);
	assert_int_equal(c->process.capabilities.ambient, 0);
	assert_int_equal(c->process.capabilities.bounding, c->process.capabilities.permitted);
	assert_int_equal(c->mounts.n, 7);
	assert_int_equal(c->linux_.namespaces[NS_CGROUP].mode, NS_NEW);
	assert_int_equal(c->linux_.namespaces[NS_USER].mode, NS_ABSENT);
	assert_int_equal(c->linux_.masked_paths.n, 12);
	assert_false(c->linux_.resources.devices.items[0].allow);
	arena_clear(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_Y2_Y4_state),
		cmocka_unit_test(test_Y2_Y4_state_with_a_hole),
		cmocka_unit_test(test_F1_F2_F3_versions_hooks_mount_options),
		cmocka_unit_test(test_F4_F5_namespaces_and_capabilities),
		cmocka_unit_test(test_F6_cgroup),
		cmocka_unit_test(test_F7_seccomp),
		cmocka_unit_test(test_F9_F12_what_the_hardware_has),
		cmocka_unit_test(test_F10_F11_F16_memory_policy_and_idmap),
		cmocka_unit_test(test_F13_F14_Z20_annotations),
		cmocka_unit_test(test_F1_promised_versions_are_read),
		cmocka_unit_test(test_template),
	};

	return cmocka_run_group_tests_name("documents", tests, NULL, NULL);
}
