/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which writes an update is, and in which order; and from one list of v1's devices to another. */
#include "cgroup/update.h"
#include "cgroup/update_devices.h"
#include "cgroup/write.h"

#include "layouts.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- due -------------------------------------------------------------------------------------------------------- */

static const struct {
	int host;
	const char *resources, *change;
	const char *writes; /* file=value, separated by blanks */
} due[] = {
	{ CGROUP_V1, "", "\"memory\":{\"limit\":4096}", "memory.limit_in_bytes=4096" },
	{ CGROUP_V2, "", "\"memory\":{\"limit\":4096}", "memory.max=4096" },
	{ CGROUP_V1, "\"pids\":{\"limit\":5}", "", "" },
	{ CGROUP_V1, "\"pids\":{\"limit\":5}", "\"pids\":{\"limit\":5}", "pids.max=5" },
	{ CGROUP_V1, "\"pids\":{\"limit\":5}", "\"cpu\":{\"shares\":0}", "" },
	/* The sum stays, so swap alone is another number. */
	{ CGROUP_V2, "\"memory\":{\"limit\":4096,\"swap\":8192}", "\"memory\":{\"limit\":5000}",
	  "memory.max=5000 memory.swap.max=3192" },
	{ CGROUP_V1, "\"memory\":{\"limit\":4096,\"swap\":8192}", "\"memory\":{\"limit\":5000}",
	  "memory.limit_in_bytes=5000" },
	{ CGROUP_V2, "\"memory\":{\"limit\":4096,\"swap\":8192}", "\"memory\":{\"swap\":9000}",
	  "memory.swap.max=4904" },
	{ CGROUP_V1, "\"memory\":{\"limit\":4096,\"swap\":8192}", "\"memory\":{\"limit\":-1}",
	  "memory.limit_in_bytes=-1 memory.memsw.limit_in_bytes=-1" },
	{ CGROUP_V2, "\"cpu\":{\"quota\":5000,\"period\":10000}", "\"cpu\":{\"period\":20000}",
	  "cpu.max=5000 20000" },
	{ CGROUP_V2, "\"cpu\":{\"quota\":5000,\"period\":10000}", "\"cpu\":{\"period\":10000}",
	  "cpu.max=5000 10000" },
	{ CGROUP_V1, "\"cpu\":{\"quota\":5000,\"period\":10000}", "\"cpu\":{\"period\":20000}",
	  "cpu.cfs_period_us=20000" },
	/* What is how a new cgroup is, but not this one. */
	{ CGROUP_V1, "\"cpu\":{\"idle\":1,\"burst\":1,\"quota\":5}",
	  "\"cpu\":{\"idle\":0,\"burst\":0}", "cpu.cfs_burst_us=0 cpu.idle=0" },
	{ CGROUP_V2, "\"cpu\":{\"idle\":1}", "\"cpu\":{\"idle\":0}", "cpu.idle=0" },
	{ CGROUP_V1, "\"memory\":{\"disableOOMKiller\":true}",
	  "\"memory\":{\"disableOOMKiller\":false}", "memory.oom_control=0" },
	{ CGROUP_V2, "", "\"memory\":{\"disableOOMKiller\":false}", "" },
	{ CGROUP_V2, "\"unified\":{\"memory.high\":\"5\"}", "\"unified\":{\"memory.low\":\"6\"}",
	  "memory.low=6" },
	{ CGROUP_V1,
	  "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1},{\"pageSize\":\"1GB\",\"limit\":"
	  "1}]",
	  "\"hugepageLimits\":[{\"pageSize\":\"1GB\",\"limit\":2}]",
	  "hugetlb.1GB.limit_in_bytes=2 hugetlb.1GB.rsvd.limit_in_bytes=2" },
	/* Devices are not among them. */
	{ CGROUP_V1, "", "\"devices\":[{\"allow\":true}]", "" },
};

static void read_change(struct arena *arena, const char *resources, const char *change,
			struct resources_change *ret)
{
	const char *config = arena_printf(
		arena,
		"{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"},\"linux\":{\"resources\":"
		"{%s}}}",
		resources);
	const char *text = arena_printf(arena, "{%s}", change);
	struct err err = ERR_INIT;

	if (resources_change_read(arena, config, strlen(config), text, strlen(text), NULL, ret,
				  &err) < 0)
		fail_msg("%s: %s %s", change, err.pointer, err.text);
}

static const char *describe(struct arena *arena, const struct cgroup_changes *changes)
{
	const char *text = "";

	for (size_t i = 0; i < changes->n; i++)
		text = arena_printf(arena, "%s%s%s=%s", text, *text ? " " : "",
				    changes->items[i].write.file, changes->items[i].write.value);
	return text;
}

static void test_C9_what_is_due(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(due); i++) {
		struct arena arena = { 0 };
		struct resources_change change;
		struct cgroup_changes changes;
		struct err err = ERR_INIT;

		read_change(&arena, due[i].resources, due[i].change, &change);
		if (cgroup_changes_plan(&arena, &change, &layouts[due[i].host], &changes, &err) < 0)
			fail_msg("%s: %s", due[i].change, err.text);
		if (strcmp(describe(&arena, &changes), due[i].writes) != 0)
			fail_msg("%s + %s: %s", due[i].resources, due[i].change,
				 describe(&arena, &changes));
		arena_clear(&arena);
	}
}

static void test_C9_what_this_host_cannot_say(void **state)
{
	struct arena arena = { 0 };
	struct resources_change change;
	struct cgroup_changes changes;
	struct err err = ERR_INIT;

	read_change(&arena, "", "\"memory\":{\"limit\":4096}", &change);
	assert_int_equal(cgroup_changes_plan(&arena, &change, &layouts[POOR_V2], &changes, &err),
			 -EINVAL);
	assert_string_equal(err.pointer, "/linux/resources/memory/limit");
	arena_clear(&arena);
}

/* ---- the order -------------------------------------------------------------------------------------------------- */

/* "file before after", in the order of the knobs; then the files in the order that is wanted */
static const struct {
	const char *changes[4][3];
	const char *order;
} orders[] = {
	{ { { "memory.limit_in_bytes", "100", "50" },
	    { "memory.memsw.limit_in_bytes", "200", "60" } },
	  "memory.limit_in_bytes memory.memsw.limit_in_bytes" },
	{ { { "memory.limit_in_bytes", "100", "300" },
	    { "memory.memsw.limit_in_bytes", "200", "400" } },
	  "memory.memsw.limit_in_bytes memory.limit_in_bytes" },
	{ { { "memory.limit_in_bytes", "100", "-1" },
	    { "memory.memsw.limit_in_bytes", "200", "-1" } },
	  "memory.memsw.limit_in_bytes memory.limit_in_bytes" },
	{ { { "memory.limit_in_bytes", "100", "150" },
	    { "memory.memsw.limit_in_bytes", "200", "400" } },
	  "memory.limit_in_bytes memory.memsw.limit_in_bytes" },
	/* Half a CPU stays half a CPU on the way from short to long periods and back. */
	{ { { "cpu.cfs_period_us", "100", "1000" }, { "cpu.cfs_quota_us", "50", "500" } },
	  "cpu.cfs_period_us cpu.cfs_quota_us" },
	{ { { "cpu.cfs_period_us", "1000", "100" }, { "cpu.cfs_quota_us", "500", "50" } },
	  "cpu.cfs_quota_us cpu.cfs_period_us" },
	{ { { "cpu.cfs_period_us", "1000", "100" }, { "cpu.cfs_quota_us", "-1", "50" } },
	  "cpu.cfs_period_us cpu.cfs_quota_us" },
	{ { { "cpu.cfs_period_us", "1000", "100" }, { "cpu.cfs_quota_us", "500", "-1" } },
	  "cpu.cfs_quota_us cpu.cfs_period_us" },
	{ { { "cpu.cfs_quota_us", "500", "400" }, { "cpu.cfs_burst_us", "500", "300" } },
	  "cpu.cfs_burst_us cpu.cfs_quota_us" },
	{ { { "cpu.cfs_quota_us", "500", "900" }, { "cpu.cfs_burst_us", "500", "800" } },
	  "cpu.cfs_quota_us cpu.cfs_burst_us" },
	{ { { "cpu.max", "500 1000", "400 1000" }, { "cpu.max.burst", "500", "0" } },
	  "cpu.max.burst cpu.max" },
	{ { { "cpu.cfs_period_us", "1000", "100" },
	    { "cpu.cfs_quota_us", "500", "50" },
	    { "cpu.cfs_burst_us", "500", "10" } },
	  "cpu.cfs_burst_us cpu.cfs_quota_us cpu.cfs_period_us" },
	{ { { "cpu.shares", "0", "9" }, { "cpu.idle", "1", "0" } }, "cpu.idle cpu.shares" },
	{ { { "cpu.weight", "100", "9" }, { "cpu.idle", "0", "1" } }, "cpu.weight cpu.idle" },
	{ { { "cpu.rt_period_us", "1000", "100" }, { "cpu.rt_runtime_us", "500", "50" } },
	  "cpu.rt_runtime_us cpu.rt_period_us" },
	{ { { "cpu.rt_period_us", "100", "1000" }, { "cpu.rt_runtime_us", "50", "500" } },
	  "cpu.rt_period_us cpu.rt_runtime_us" },
	{ { { "pids.max", "9", "8" }, { "cpu.weight", "1", "2" } }, "pids.max cpu.weight" },
};

static void test_K15_order(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct cgroup_change items[4] = { 0 };
		struct cgroup_changes changes = { .items = items };
		char text[256] = "";

		for (size_t k = 0; k < 4 && orders[i].changes[k][0]; k++) {
			items[k].write.file = orders[i].changes[k][0];
			items[k].before = orders[i].changes[k][1];
			items[k].write.value = orders[i].changes[k][2];
			changes.n++;
		}
		cgroup_changes_order(&changes);
		for (size_t k = 0; k < changes.n; k++) {
			strcat(text, k ? " " : "");
			strcat(text, items[k].write.file);
		}
		if (strcmp(text, orders[i].order) != 0)
			fail_msg("%zu: %s", i, text);
	}
}

/* ---- what takes it back ----------------------------------------------------------------------------------------- */

static const struct {
	const char *file, *text, *value;
	const char *before; /* NULL: can't be told */
} befores[] = {
	{ "memory.max", "max\n", "4096", "max" },
	{ "cpu.max", "max 100000\n", "5000 10000", "max 100000" },
	{ "cpuset.cpus", "\n", "0-1", "\n" },
	{ "memory.oom_control", "oom_kill_disable 1\nunder_oom 0\noom_kill 0\n", "0", "1" },
	{ "io.max",
	  "8:0 rbps=1 wbps=max riops=max wiops=max\n8:16 rbps=2 wbps=max riops=max wiops=max\n",
	  "8:16 rbps=9", "8:16 rbps=2 wbps=max riops=max wiops=max" },
	{ "io.max", "", "8:16 rbps=9", "8:16 rbps=max wbps=max riops=max wiops=max" },
	{ "io.weight", "default 100\n8:0 50\n", "70", "100" },
	{ "io.weight", "default 100\n8:0 50\n", "8:0 70", "8:0 50" },
	{ "io.weight", "default 100\n8:0 50\n", "8:1 70", "8:1 default" },
	{ "blkio.throttle.read_bps_device", "8:0 1024\n", "8:0 5", "8:0 1024" },
	{ "blkio.throttle.read_bps_device", "8:0 1024\n", "8:1 5", "8:1 0" },
	{ "net_prio.ifpriomap", "lo 0\neth0 3\n", "eth0 5", "eth0 3" },
	{ "rdma.max", "mlx4_0 hca_handle=2 hca_object=max\n", "mlx4_0 hca_handle=1",
	  "mlx4_0 hca_handle=2 hca_object=max" },
	{ "memory.stat", "a 1\nb 2\n", "5", NULL },
	{ "io.latency", "", "8:0 target=5", NULL },
	{ "no.such.file", NULL, "5", NULL },
};

static void test_C9_what_takes_it_back(void **state)
{
	char dir[] = "/tmp/tare-unit-XXXXXX";

	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < ARRAY_LEN(befores); i++) {
		defer_close int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct arena arena = { 0 };
		const char *found;

		assert_true(fd >= 0);
		if (befores[i].text) {
			defer_close int file =
				openat(fd, befores[i].file,
				       O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

			assert_int_equal(write(file, befores[i].text, strlen(befores[i].text)),
					 strlen(befores[i].text));
		}
		found = cgroup_write_before(&arena, fd, befores[i].file, befores[i].value);
		if (!found != !befores[i].before ||
		    (found && strcmp(found, befores[i].before) != 0))
			fail_msg("%s %s: %s", befores[i].file, befores[i].value,
				 found ? found : "NULL");
		if (befores[i].text)
			unlinkat(fd, befores[i].file, 0);
		arena_clear(&arena);
	}
	rmdir(dir);
}

/* ---- devices ---------------------------------------------------------------------------------------------------- */

static const struct {
	const char *current;
	struct device_list target;
	struct device_change change;
} lists[] = {
	{ "c 1:3 rwm\nc 1:5 rwm",
	  { .own_lines = "c 1:3 rwm\nc 1:5 rwm", .config_lines = "" },
	  { .own = "", .add = "", .remove = "" } },
	{ "c 1:3 rwm",
	  { .own_lines = "c 1:3 rwm", .config_lines = "c 4:64 rw" },
	  { .own = "", .add = "c 4:64 rw", .remove = "" } },
	{ "c 1:3 rwm\nc 4:64 rw",
	  { .own_lines = "c 1:3 rwm", .config_lines = "c 4:64 r" },
	  { .own = "", .add = "", .remove = "c 4:64 w" } },
	{ "c 4:64 r",
	  { .own_lines = "c 1:3 rwm", .config_lines = "c 4:64 w" },
	  { .own = "c 1:3 rwm", .add = "c 4:64 w", .remove = "c 4:64 r" } },
	{ "c *:* m\nb *:* m",
	  { .own_lines = "b *:* m", .config_lines = "c *:* rwm" },
	  { .own = "", .add = "c *:* rw", .remove = "" } },
	{ "",
	  { .own_lines = "", .config_lines = "b 8:* r" },
	  { .own = "", .add = "b 8:* r", .remove = "" } },
	{ "a *:* rwm",
	  { .own_lines = "c 1:3 rwm", .config_lines = "c 4:64 rw" },
	  { .anew = true, .own = "c 1:3 rwm", .add = "c 4:64 rw", .remove = "" } },
	{ "c 1:3 rwm",
	  { .allow = true, .own_lines = "", .config_lines = "c 4:64 rw" },
	  { .anew = true, .all = true, .own = "", .add = "c 4:64 rw", .remove = "" } },
};

static void test_K1_from_list_to_list(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct arena arena = { 0 };
		struct device_change change;

		device_list_change(&arena, lists[i].current, &lists[i].target, &change);
		assert_int_equal(change.anew, lists[i].change.anew);
		assert_int_equal(change.all, lists[i].change.all);
		assert_string_equal(change.own, lists[i].change.own);
		assert_string_equal(change.add, lists[i].change.add);
		assert_string_equal(change.remove, lists[i].change.remove);
		arena_clear(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_C9_what_is_due),
		cmocka_unit_test(test_C9_what_this_host_cannot_say),
		cmocka_unit_test(test_K15_order),
		cmocka_unit_test(test_C9_what_takes_it_back),
		cmocka_unit_test(test_K1_from_list_to_list),
	};

	return cmocka_run_group_tests_name("cgroup-update", tests, NULL, NULL);
}
