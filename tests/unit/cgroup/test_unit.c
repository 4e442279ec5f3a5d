/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Units without systemd: their names and cgroups, limits as properties, what annotations say. */
#include "cgroup/unit_gvariant.h"
#include "cgroup/unit_name.h"
#include "cgroup/unit_properties.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- names ------------------------------------------------------------------------------------------------------ */

static const struct name_case {
	const char *path, *id;
	bool user;
	const char *unit, *slice, *cgroup; /* unit NULL: refused */
	const char *message, *hint;
} names[] = {
	{ NULL, "web", false, "tare-web.scope", "system.slice", "/system.slice/tare-web.scope" },
	{ "", "web", true, "tare-web.scope", "user.slice", "/user.slice/tare-web.scope" },
	{ NULL, "a+b", false, "tare-a\\x2bb.scope", "system.slice",
	  "/system.slice/tare-a\\x2bb.scope" },
	{ "machine.slice:libpod:0f", "web", false, "libpod-0f.scope", "machine.slice",
	  "/machine.slice/libpod-0f.scope" },
	{ ":docker:0f", "web", false, "docker-0f.scope", "system.slice",
	  "/system.slice/docker-0f.scope" },
	{ "a.slice::0f", "web", false, "0f.scope", "a.slice", "/a.slice/0f.scope" },
	{ "-.slice:x:0f", "web", false, "x-0f.scope", "-.slice", "/x-0f.scope" },
	{ "kubepods-burstable-pod1.slice:cri:0f", "web", false, "cri-0f.scope",
	  "kubepods-burstable-pod1.slice",
	  "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-0f.scope" },
	{ "a.slice:x:a-b.slice", "web", false, "a-b.slice", "a.slice", "/a.slice/a-b.slice" },
	{ "/tare/web", "web", false,
	  .message =
		  "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, "
		  "got \"/tare/web\" instead",
	  .hint = "without --systemd-cgroup" },
	{ "a.slice:web", "web", false, .message = "got \"a.slice:web\" instead",
	  .hint = "system.slice:tare:web" },
	{ "a.slice:b:c:d", "web", false, .message = "got \"a.slice:b:c:d\" instead",
	  .hint = "system.slice:tare:web" },
	{ "a:b:c", "web", false, .message = "use slice \"a\": that is no slice's name",
	  .hint = "ends in \".slice\"" },
	{ "a--b.slice:b:c", "web", false, .message = "use slice \"a--b.slice\"",
	  .hint = "a-b.slice" },
	{ "-a.slice:b:c", "web", false, .message = "use slice \"-a.slice\"", .hint = "a-b.slice" },
	{ "a-.slice:b:c", "web", false, .message = "use slice \"a-.slice\"", .hint = "a-b.slice" },
	{ "../a.slice:b:c", "web", false, .message = "use slice \"../a.slice\"",
	  .hint = "a-b.slice" },
	{ ".slice:b:c", "web", false, .message = "use slice \".slice\"", .hint = "a-b.slice" },
	{ "a.slice:b:-.slice", "web", false, .message = "use slice \"-.slice\"",
	  .hint = "a-b.slice" },
	{ "a.slice:b:../c", "web", false,
	  .message = "use unit \"b-../c.scope\": systemd allows no such name", .hint = "255" },
	{ "a.slice:b:", "web", false, .message = "use unit \"b-.scope\"", .hint = "255" },
};

static void test_G4_names(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		defer_arena struct arena arena = { 0 };
		const struct name_case *c = &names[i];
		struct err err = ERR_INIT;
		struct unit_name name;
		int r = unit_name_parse(&arena, c->path, c->id, c->user, &name, &err);

		if (!c->unit) {
			assert_int_equal(r, -EINVAL);
			if (!strstr(err.text, c->message) || !strstr(err.hint, c->hint))
				fail_msg("\"%s\": %s (%s)", c->path, err.text, err.hint);
			assert_string_equal(err.pointer, "/linux/cgroupsPath");
			continue;
		}
		if (r < 0)
			fail_msg("\"%s\": %s", c->path, err.text);
		assert_string_equal(name.unit, c->unit);
		assert_string_equal(name.slice, c->slice);
		assert_string_equal(name.path, c->cgroup);
		assert_int_equal(name.is_slice, strstr(c->unit, ".slice") != NULL);
	}
}

static void test_G4_a_name_that_is_too_long(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;
	struct unit_name name;
	char id[300];

	memset(id, 'x', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	assert_int_equal(unit_name_parse(&arena, NULL, id, false, &name, &err), -EINVAL);
	assert_non_null(strstr(err.hint, "at most 255"));
}

static void test_where_the_manager_is(void **state)
{
	defer_arena struct arena arena = { 0 };

	assert_string_equal(unit_manager_path(&arena, "/user.slice/x", false, 0), "");
	assert_string_equal(
		unit_manager_path(&arena,
				  "/user.slice/user-7.slice/user@7.service/app.slice/x.scope", true,
				  9),
		"/user.slice/user-7.slice/user@7.service");
	assert_string_equal(
		unit_manager_path(&arena, "/user.slice/user-9.slice/session-1.scope", true, 9),
		"/user.slice/user-9.slice/user@9.service");
}

/* ---- limits ----------------------------------------------------------------------------------------------------- */

/* "Name signature words" of each, one a line. */
static const char *text_of(struct arena *arena, const struct unit_property_list *list)
{
	const char *text = "";

	for (size_t i = 0; i < list->n; i++) {
		text = arena_printf(arena, "%s%s %s", text, list->items[i].name,
				    list->items[i].signature);
		for (size_t k = 0; k < list->items[i].words.n; k++)
			text = arena_printf(arena, "%s %s", text, list->items[i].words.items[k]);
		text = arena_printf(arena, "%s\n", text);
	}
	return text;
}

static const struct {
	const char *file, *value, *properties;
} limits[] = {
	{ "memory.max", "1048576", "MemoryMax t 1048576\n" },
	{ "memory.max", "max", "MemoryMax t 18446744073709551615\n" },
	{ "memory.low", "5", "MemoryLow t 5\n" },
	{ "memory.high", "6", "MemoryHigh t 6\n" },
	{ "memory.min", "6", "MemoryMin t 6\n" },
	{ "memory.swap.max", "0", "MemorySwapMax t 0\n" },
	{ "memory.max", "12M", "" }, /* for the kernel to judge */
	{ "memory.oom.group", "1", "" },
	{ "cpu.weight", "59", "CPUWeight t 59\n" },
	{ "cpu.idle", "1", "CPUWeight t 0\n" },
	{ "cpu.idle", "0", "" },
	{ "cpu.max", "50000 100000", "CPUQuotaPerSecUSec t 500000\nCPUQuotaPeriodUSec t 100000\n" },
	{ "cpu.max", "50000", "CPUQuotaPerSecUSec t 500000\n" },
	{ "cpu.max", "max 20000",
	  "CPUQuotaPerSecUSec t 18446744073709551615\nCPUQuotaPeriodUSec t 20000\n" },
	{ "cpu.max", "1001 3000", "CPUQuotaPerSecUSec t 340000\nCPUQuotaPeriodUSec t 3000\n" },
	{ "cpu.max", "x", "" },
	{ "cpu.max", "50000 0", "" },
	{ "pids.max", "7", "TasksMax t 7\n" },
	{ "pids.max", "0", "TasksMax t 1\n" },
	{ "pids.max", "max", "TasksMax t 18446744073709551615\n" },
	{ "cpuset.cpus", "0-1,9", "AllowedCPUs ay 2 3 2\n" },
	{ "cpuset.mems", "0", "AllowedMemoryNodes ay 1 1\n" },
	{ "cpuset.cpus", "0-", "AllowedCPUs ay 1 1\n" },
	{ "cpuset.cpus", "99999", "" },
	{ "cpuset.cpus", "-1", "" },
	{ "io.weight", "100", "IOWeight t 100\n" },
	{ "io.weight", "default 100", "IOWeight t 100\n" },
	{ "io.weight", "8:0 50", "IODeviceWeight a(st) 1 /dev/block/8:0 50\n" },
	{ "io.max", "8:0 rbps=10 wiops=max",
	  "IOReadBandwidthMax a(st) 1 /dev/block/8:0 10\nIOWriteIOPSMax a(st) 1 /dev/block/8:0 "
	  "18446744073709551615\n" },
	{ "io.max", "8:0 rbps=1\n8:16 wbps=2",
	  "IOReadBandwidthMax a(st) 1 /dev/block/8:0 1\nIOWriteBandwidthMax a(st) 1 "
	  "/dev/block/8:16 2\n" },
	{ "io.max", "8:0", "" },
	{ "hugetlb.2MB.max", "0", "" },
	{ "memory.limit_in_bytes", "-1", "MemoryLimit t 18446744073709551615\n" },
	{ "cpu.shares", "512", "CPUShares t 512\n" },
	{ "cpu.cfs_quota_us", "50000", "CPUQuotaPerSecUSec t 500000\n" },
	{ "cpu.cfs_quota_us", "-1", "CPUQuotaPerSecUSec t 18446744073709551615\n" },
	{ "blkio.weight", "200", "BlockIOWeight t 200\n" },
	{ "blkio.weight_device", "8:0 200", "BlockIODeviceWeight a(st) 1 /dev/block/8:0 200\n" },
	{ "blkio.throttle.read_bps_device", "8:0 9",
	  "IOReadBandwidthMax a(st) 1 /dev/block/8:0 9\n" },
};

static void test_K18_limits_are_properties(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		defer_arena struct arena arena = { 0 };
		const struct cgroup_write write = { .file = limits[i].file,
						    .value = limits[i].value,
						    .pointer = "/x" };
		struct unit_property_list list = { 0 };
		const char *text;

		unit_properties_of_writes(&arena, &write, 1, &list);
		text = text_of(&arena, &list);
		if (strcmp(text, limits[i].properties) != 0)
			fail_msg("%s \"%s\": %s", limits[i].file, limits[i].value, text);
		for (size_t k = 0; k < list.n; k++) {
			struct dbus_buffer buffer = { .arena = &arena };

			/* A property whose words were not of its type would fail only on a host with systemd. */
			assert_int_equal(
				dbus_put(&buffer, list.items[k].signature, &list.items[k].words),
				0);
			assert_string_equal(list.items[k].pointer, "/x");
		}
	}
}

static void test_K18_the_last_word_counts(void **state)
{
	defer_arena struct arena arena = { 0 };
	const struct cgroup_write writes[] = {
		{ .file = "memory.max", .value = "100" },
		{ .file = "cpu.cfs_period_us", .value = "50000" },
		{ .file = "cpu.cfs_quota_us", .value = "25000" },
		{ .file = "io.max", .value = "8:0 rbps=1" },
		{ .file = "io.max", .value = "8:1 rbps=2" },
		{ .file = "memory.max", .value = "200" },
	};
	struct unit_property_list list = { 0 };

	unit_properties_of_writes(&arena, writes, ARRAY_LEN(writes), &list);
	assert_string_equal(text_of(&arena, &list),
			    "CPUQuotaPeriodUSec t 50000\nCPUQuotaPerSecUSec t 500000\n"
			    "IOReadBandwidthMax a(st) 1 /dev/block/8:0 1\n"
			    "IOReadBandwidthMax a(st) 1 /dev/block/8:1 2\nMemoryMax t 200\n");
}

/* ---- devices ---------------------------------------------------------------------------------------------------- */

static const char *devices(struct arena *arena, struct config_device_rule *rules, size_t n)
{
	const struct config_device_rule_list rule_list = { rules, n };
	struct unit_property_list list = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(unit_properties_of_devices(arena, &rule_list, &list, &err), 0);
	return text_of(arena, &list);
}

static void test_K4_devices(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct config_device_rule rules[] = {
		{ .allow = false, .type = 'a', .read = true, .write = true, .mknod = true },
		{ .allow = true,
		  .type = 'c',
		  .major = { .set = true, .v = 1 },
		  .minor = { .set = true, .v = 11 },
		  .read = true },
		{ .allow = true,
		  .type = 'b',
		  .major = { .set = true, .v = 8 },
		  .read = true,
		  .write = true },
	};
	struct config_device_rule all[] = {
		{ .allow = true, .type = 'a', .read = true, .write = true, .mknod = true },
		{ .allow = false,
		  .type = 'c',
		  .major = { .set = true, .v = 1 },
		  .minor = { .set = true, .v = 11 },
		  .read = true },
	};
	const char *text = devices(&arena, rules, ARRAY_LEN(rules));

	assert_non_null(strstr(text, "DevicePolicy s strict\nDeviceAllow a(ss) 13 char-* m block-* "
				     "m /dev/char/1:3 rwm"));
	assert_non_null(strstr(text, " char-136 rwm"));
	assert_non_null(strstr(text, " /dev/char/1:11 r"));
	assert_non_null(strstr(text, " block-8 rw"));
	/* "All but one" is not a list of what is allowed: systemd lets everything pass, and our filter decides. */
	assert_string_equal(devices(&arena, all, ARRAY_LEN(all)), "");
}

/* ---- annotations ------------------------------------------------------------------------------------------------ */

static const struct {
	const char *name, *value, *property; /* or NULL */
	const char *message;
} annotations[] = {
	{ "TimeoutStopUSec", "uint64 5", "TimeoutStopUSec t 5\n" },
	{ "TimeoutStopSec", "uint64 123", "TimeoutStopUSec t 123000000\n" },
	{ "TimeoutStopSec", "1.5", "TimeoutStopUSec t 1500000\n" },
	{ "TimeoutStopSec", "-1", NULL, "so many seconds are not possible" },
	{ "After", "['a.service', \"b.service\"]", "After as 2 a.service b.service\n" },
	{ "Requires", "@as []", "Requires as 0\n" },
	{ "CollectMode", "'inactive'", "CollectMode s inactive\n" },
	{ "SendSIGHUP", "true", "SendSIGHUP b true\n" },
	{ "IOReadBandwidthMax", "[('/dev/block/8:0', uint64 7)]",
	  "IOReadBandwidthMax a(st) 1 /dev/block/8:0 7\n" },
	{ "IOReadBandwidthMax", "@a(st) [('/dev/sda', 7)]",
	  "IOReadBandwidthMax a(st) 1 /dev/sda 7\n" },
	{ "Weight", " 0x10 ", "Weight i 16\n" },
	{ "Weight", "-5", "Weight i -5\n" },
	{ "Text", "'it\\'s \\\"x\\\"\\n'", "Text s it's \"x\"\n\n" },
	{ "PIDs", "[uint32 1]", NULL,
	  "set property \"PIDs\" of the unit: tare-oci decides this one" },
	{ "Slice", "'x.slice'", NULL, "tare-oci decides this one" },
	{ "a b", "true", NULL, "a property's name has letters only" },
	{ "Ab", "true", NULL, "a property's name has letters only" },
	{ "Weight", "uint32 -1", NULL, "the value does not fit its type" },
	{ "Weight", "byte 256", NULL, "the value does not fit its type" },
	{ "Weight", "1.5", NULL, "the value does not fit its type" },
	{ "Weight", "", NULL, "a value is expected, at byte 0" },
	{ "Weight", "maybe", NULL, "a value is expected" },
	{ "Weight", "1 2", NULL, "something follows the value, at byte 2" },
	{ "Weight", "1e", NULL, "that is no number" },
	{ "After", "['a', 1]", NULL, "a number is not of that type" },
	{ "After", "['a'", NULL, "\",\" or \"]\" is expected" },
	{ "After", "[]", NULL, "an empty array needs a type" },
	{ "After", "'a", NULL, "the string has no end" },
	{ "After", "'\\u0041'", NULL, "this escape is not known" },
	{ "After", "@a{sv} {}", NULL, "that is no type, or none that a property can have" },
	{ "After", "@(ss) ('a',)", NULL, "the tuple has fewer values than its type" },
	{ "After", "@(s) ('a', 'b')", NULL, "the tuple has more values than its type" },
	{ "After", "uint32 string 'a'", NULL, "two types contradict each other" },
	{ "After", "[[[[[[[[[1]]]]]]]]]", NULL, "it is nested too deeply" },
};

static void test_annotations(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(annotations); i++) {
		defer_arena struct arena arena = { 0 };
		struct unit_property_list list = { 0 };
		struct err err = ERR_INIT;
		int r = unit_property_of_annotation(&arena, annotations[i].name,
						    annotations[i].value, &list, &err);

		if (annotations[i].property) {
			if (r < 0)
				fail_msg("%s: %s", annotations[i].value, err.text);
			assert_string_equal(text_of(&arena, &list), annotations[i].property);
			continue;
		}
		assert_int_equal(r, -EINVAL);
		if (!strstr(err.text, annotations[i].message))
			fail_msg("%s: %s", annotations[i].value, err.text);
	}
}

static void test_an_annotation_takes_the_place_of_a_limit(void **state)
{
	defer_arena struct arena arena = { 0 };
	const struct cgroup_write write = { .file = "memory.max", .value = "100" };
	struct unit_property_list list = { 0 };
	struct err err = ERR_INIT;

	unit_properties_of_writes(&arena, &write, 1, &list);
	assert_int_equal(unit_property_of_annotation(&arena, "MemoryMax", "uint64 7", &list, &err),
			 0);
	assert_string_equal(text_of(&arena, &list), "MemoryMax t 7\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_G4_names),
		cmocka_unit_test(test_G4_a_name_that_is_too_long),
		cmocka_unit_test(test_where_the_manager_is),
		cmocka_unit_test(test_K18_limits_are_properties),
		cmocka_unit_test(test_K18_the_last_word_counts),
		cmocka_unit_test(test_K4_devices),
		cmocka_unit_test(test_annotations),
		cmocka_unit_test(test_an_annotation_takes_the_place_of_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
