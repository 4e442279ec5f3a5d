/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linux.resources against golden lists of writes, a table row for each property and host. A line of a list is
 *
 *     hierarchy/file=value [flags] @pointer below /linux/resources
 *
 * and the device rules, which every list has, are left out: test_devices.c has them.
 */
#include "cgroup/convert.h"
#include "cgroup/knobs.h"

#include "layouts.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct config *read_resources(struct arena *arena, const char *resources)
{
	const char *text = arena_printf(arena,
					"{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"},"
					"\"linux\":{\"resources\":{%s}}}",
					resources);
	struct err err = ERR_INIT;
	struct config *config;

	if (config_read(arena, text, strlen(text), &config, &err) < 0)
		fail_msg("%s: %s %s", resources, err.pointer, err.text);
	return config;
}

static const char *describe_write(struct arena *arena, const struct cgroup_layout *layout,
				  const struct cgroup_write *write)
{
	const char *mount = layout->items[write->hierarchy].mount;
	const char *other = "", *usage = "";

	if (write->other_file)
		other = arena_printf(arena, " or %s=%s", write->other_file, write->other_value);
	if (write->usage_file)
		usage = arena_printf(arena, " if-not-above %s", write->usage_file);
	return arena_printf(arena, "%s/%s=%s%s%s%s%s%s @%s\n", mount + strlen("/sys/fs/"),
			    write->file, write->value, other, usage, write->lines ? " lines" : "",
			    write->optional ? " optional" : "",
			    write->after_clone ? " after-clone" : "",
			    write->pointer + strlen("/linux/resources/"));
}

static const char *describe(struct arena *arena, const struct cgroup_layout *layout,
			    const struct cgroup_knobs *knobs)
{
	const char *text = "";

	for (size_t i = 0; i < knobs->n; i++) {
		if (strncmp(knobs->items[i].file, "devices.", 8) != 0)
			text = arena_printf(arena, "%s%s", text,
					    describe_write(arena, layout, &knobs->items[i]));
	}
	return text;
}

struct good {
	int layout;
	const char *resources, *expected;
};

static const struct good good[] = {
	/* memory */
	{ CGROUP_V1, "\"memory\":{\"limit\":1048576,\"reservation\":524288}",
	  "cgroup/memory/memory.limit_in_bytes=1048576 @memory/limit\n"
	  "cgroup/memory/memory.soft_limit_in_bytes=524288 @memory/reservation\n" },
	{ CGROUP_V2, "\"memory\":{\"limit\":1048576,\"reservation\":524288}",
	  "cgroup/memory.max=1048576 @memory/limit\n"
	  "cgroup/memory.low=524288 @memory/reservation\n" },
	{ CGROUP_V1, "\"memory\":{\"limit\":-1,\"swap\":-1}",
	  "cgroup/memory/memory.limit_in_bytes=-1 @memory/limit\n"
	  "cgroup/memory/memory.memsw.limit_in_bytes=-1 optional @memory/swap\n" },
	{ CGROUP_V2, "\"memory\":{\"limit\":-1,\"swap\":-1}",
	  "cgroup/memory.max=max @memory/limit\n"
	  "cgroup/memory.swap.max=max optional @memory/swap\n" },
	{ CGROUP_V2, "\"memory\":{\"limit\":0,\"reservation\":0,\"swap\":0}", "" },
	{ POOR_V2, "\"memory\":{\"limit\":-1,\"reservation\":-1,\"swap\":-1,\"kernel\":-1}", "" },
	/* memory and swap together, or swap alone */
	{ CGROUP_V1, "\"memory\":{\"limit\":1000,\"swap\":3000}",
	  "cgroup/memory/memory.limit_in_bytes=1000 @memory/limit\n"
	  "cgroup/memory/memory.memsw.limit_in_bytes=3000 @memory/swap\n" },
	{ CGROUP_V2, "\"memory\":{\"limit\":1000,\"swap\":3000}",
	  "cgroup/memory.max=1000 @memory/limit\n"
	  "cgroup/memory.swap.max=2000 @memory/swap\n" },
	{ CGROUP_V2, "\"memory\":{\"limit\":1000,\"swap\":1000}",
	  "cgroup/memory.max=1000 @memory/limit\n"
	  "cgroup/memory.swap.max=0 @memory/swap\n" },
	/* only v1 has them; what asks for nothing passes everywhere */
	{ CGROUP_V1,
	  "\"memory\":{\"kernel\":10,\"kernelTCP\":20,\"swappiness\":0,\"disableOOMKiller\":true,"
	  "\"useHierarchy\":true}",
	  "cgroup/memory/memory.use_hierarchy=1 @memory/useHierarchy\n"
	  "cgroup/memory/memory.kmem.limit_in_bytes=10 @memory/kernel\n"
	  "cgroup/memory/memory.kmem.tcp.limit_in_bytes=20 @memory/kernelTCP\n"
	  "cgroup/memory/memory.swappiness=0 @memory/swappiness\n"
	  "cgroup/memory/memory.oom_control=1 @memory/disableOOMKiller\n" },
	{ CGROUP_V2,
	  "\"memory\":{\"kernel\":-1,\"kernelTCP\":0,\"disableOOMKiller\":false,\"useHierarchy\":"
	  "true}",
	  "" },
	/* */
	{ CGROUP_V1, "\"memory\":{\"limit\":1000,\"checkBeforeUpdate\":true}",
	  "cgroup/memory/memory.limit_in_bytes=1000 if-not-above memory.usage_in_bytes "
	  "@memory/limit\n" },
	{ CGROUP_V2, "\"memory\":{\"limit\":1000,\"checkBeforeUpdate\":true}",
	  "cgroup/memory.max=1000 if-not-above memory.current @memory/limit\n" },
	{ CGROUP_V2, "\"memory\":{\"limit\":-1,\"checkBeforeUpdate\":true}",
	  "cgroup/memory.max=max @memory/limit\n" },
	/* cpu; period before quota before burst, shares before idle */
	{ CGROUP_V1,
	  "\"cpu\":{\"shares\":1024,\"quota\":50000,\"period\":100000,\"burst\":1000,"
	  "\"realtimeRuntime\":950,"
	  "\"realtimePeriod\":1000,\"idle\":1}",
	  "cgroup/cpu,cpuacct/cpu.shares=1024 @cpu/shares\n"
	  "cgroup/cpu,cpuacct/cpu.cfs_period_us=100000 @cpu/period\n"
	  "cgroup/cpu,cpuacct/cpu.cfs_quota_us=50000 @cpu/quota\n"
	  "cgroup/cpu,cpuacct/cpu.cfs_burst_us=1000 @cpu/burst\n"
	  "cgroup/cpu,cpuacct/cpu.rt_period_us=1000 @cpu/realtimePeriod\n"
	  "cgroup/cpu,cpuacct/cpu.rt_runtime_us=950 @cpu/realtimeRuntime\n"
	  "cgroup/cpu,cpuacct/cpu.idle=1 @cpu/idle\n" },
	{ CGROUP_V2,
	  "\"cpu\":{\"shares\":1024,\"quota\":50000,\"period\":200000,\"burst\":1000,\"idle\":1}",
	  "cgroup/cpu.weight=100 @cpu/shares\n"
	  "cgroup/cpu.max=50000 200000 @cpu/quota\n"
	  "cgroup/cpu.max.burst=1000 @cpu/burst\n"
	  "cgroup/cpu.idle=1 @cpu/idle\n" },
	{ CGROUP_V2, "\"cpu\":{\"quota\":50000}", "cgroup/cpu.max=50000 100000 @cpu/quota\n" },
	{ CGROUP_V2, "\"cpu\":{\"period\":50000}", "cgroup/cpu.max=max 50000 @cpu/period\n" },
	{ CGROUP_V2, "\"cpu\":{\"quota\":-1,\"period\":50000}",
	  "cgroup/cpu.max=max 50000 @cpu/quota\n" },
	{ CGROUP_V1, "\"cpu\":{\"quota\":-1}",
	  "cgroup/cpu,cpuacct/cpu.cfs_quota_us=-1 @cpu/quota\n" },
	{ CGROUP_NONE, "\"cpu\":{\"quota\":-1}", "" },
	{ CGROUP_V2,
	  "\"cpu\":{\"shares\":0,\"quota\":0,\"period\":0,\"burst\":0,\"realtimePeriod\":0,"
	  "\"realtimeRuntime\":0,\"idle\":0}",
	  "" },
	/* before everything else */
	{ CGROUP_V1, "\"cpu\":{\"shares\":2,\"cpus\":\"0-1\",\"mems\":\"0\"}",
	  "cgroup/cpuset/cpuset.cpus=0-1 @cpu/cpus\n"
	  "cgroup/cpuset/cpuset.mems=0 @cpu/mems\n"
	  "cgroup/cpu,cpuacct/cpu.shares=2 @cpu/shares\n" },
	{ CGROUP_V2, "\"cpu\":{\"cpus\":\"0-1\",\"mems\":\"0\"}",
	  "cgroup/cpuset.cpus=0-1 @cpu/cpus\ncgroup/cpuset.mems=0 @cpu/mems\n" },
	{ CGROUP_NONE, "\"cpu\":{\"cpus\":\"\",\"mems\":\"\"}", "" },
	/* weights, where BFQ's file may not be there */
	{ CGROUP_V1,
	  "\"blockIO\":{\"weight\":500,\"leafWeight\":300,"
	  "\"weightDevice\":[{\"major\":8,\"minor\":1,\"weight\":10,\"leafWeight\":20}]}",
	  "cgroup/blkio/blkio.bfq.weight=500 or blkio.weight=500 @blockIO/weight\n"
	  "cgroup/blkio/blkio.leaf_weight=300 @blockIO/leafWeight\n"
	  "cgroup/blkio/blkio.bfq.weight_device=8:1 10 or blkio.weight_device=8:1 10 "
	  "@blockIO/weightDevice/0/weight\n"
	  "cgroup/blkio/blkio.leaf_weight_device=8:1 20 @blockIO/weightDevice/0/leafWeight\n" },
	{ CGROUP_V2,
	  "\"blockIO\":{\"weight\":1000,\"weightDevice\":[{\"major\":8,\"minor\":1,\"weight\":10}]"
	  "}",
	  "cgroup/io.bfq.weight=1000 or io.weight=10000 @blockIO/weight\n"
	  "cgroup/io.bfq.weight=8:1 10 or io.weight=8:1 1 @blockIO/weightDevice/0/weight\n" },
	{ CGROUP_V2, "\"blockIO\":{\"weight\":0,\"leafWeight\":0}", "" },
	/* */
	{ CGROUP_V1,
	  "\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":600}],"
	  "\"throttleWriteBpsDevice\":[{\"major\":8,\"minor\":16,\"rate\":0}],"
	  "\"throttleReadIOPSDevice\":[{\"major\":8,\"minor\":0,\"rate\":300}],"
	  "\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":0,\"rate\":18446744073709551615}]}",
	  "cgroup/blkio/blkio.throttle.read_bps_device=8:0 600 @blockIO/throttleReadBpsDevice/0\n"
	  "cgroup/blkio/blkio.throttle.write_bps_device=8:16 0 @blockIO/throttleWriteBpsDevice/0\n"
	  "cgroup/blkio/blkio.throttle.read_iops_device=8:0 300 @blockIO/throttleReadIOPSDevice/0\n"
	  "cgroup/blkio/blkio.throttle.write_iops_device=8:0 18446744073709551615 "
	  "@blockIO/throttleWriteIOPSDevice/0\n" },
	{ CGROUP_V2,
	  "\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":600},"
	  "{\"major\":8,\"minor\":1,\"rate\":0}],"
	  "\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":0,\"rate\":5}]}",
	  "cgroup/io.max=8:0 rbps=600 @blockIO/throttleReadBpsDevice/0\n"
	  "cgroup/io.max=8:1 rbps=max @blockIO/throttleReadBpsDevice/1\n"
	  "cgroup/io.max=8:0 wiops=5 @blockIO/throttleWriteIOPSDevice/0\n" },
	/* R-19; on a hybrid host by the v2 mount */
	{ CGROUP_V1, "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4194304}]",
	  "cgroup/hugetlb/hugetlb.2MB.limit_in_bytes=4194304 @hugepageLimits/0\n"
	  "cgroup/hugetlb/hugetlb.2MB.rsvd.limit_in_bytes=4194304 optional @hugepageLimits/0\n" },
	{ CGROUP_HYBRID, "\"hugepageLimits\":[{\"pageSize\":\"1GB\",\"limit\":0}]",
	  "cgroup/unified/hugetlb.1GB.max=0 @hugepageLimits/0\n"
	  "cgroup/unified/hugetlb.1GB.rsvd.max=0 optional @hugepageLimits/0\n" },
	/* */
	{ CGROUP_V1,
	  "\"network\":{\"classID\":1048577,\"priorities\":[{\"name\":\"eth0\",\"priority\":5}]}",
	  "cgroup/net_cls,net_prio/net_cls.classid=1048577 @network/classID\n"
	  "cgroup/net_cls,net_prio/net_prio.ifpriomap=eth0 5 @network/priorities/0\n" },
	{ CGROUP_V2, "\"network\":{\"classID\":0,\"priorities\":[]}", "" },
	/* 0 is a real limit; on v2 nobody could be cloned into the cgroup then */
	{ CGROUP_V1, "\"pids\":{\"limit\":100}", "cgroup/pids/pids.max=100 @pids/limit\n" },
	{ CGROUP_V1, "\"pids\":{\"limit\":-1}", "cgroup/pids/pids.max=max @pids/limit\n" },
	{ CGROUP_V1, "\"pids\":{\"limit\":0}", "cgroup/pids/pids.max=0 @pids/limit\n" },
	{ CGROUP_HYBRID, "\"pids\":{\"limit\":0}", "cgroup/pids/pids.max=0 @pids/limit\n" },
	{ CGROUP_V2, "\"pids\":{\"limit\":0}", "cgroup/pids.max=0 after-clone @pids/limit\n" },
	{ CGROUP_V2, "\"pids\":{\"limit\":1}", "cgroup/pids.max=1 @pids/limit\n" },
	{ CGROUP_NONE, "\"pids\":{\"limit\":-1}", "" },
	/* */
	{ CGROUP_V1, "\"rdma\":{\"mlx5_1\":{\"hcaHandles\":3,\"hcaObjects\":10000}}",
	  "cgroup/rdma/rdma.max=mlx5_1 hca_handle=3 hca_object=10000 @rdma/mlx5_1\n" },
	{ CGROUP_V2, "\"rdma\":{\"a/b~\":{\"hcaObjects\":0}}",
	  "cgroup/rdma.max=a/b~ hca_object=0 @rdma/a~1b~0\n" },
	/* R-23, K-14: as written, after everything else; a file of no known controller is tried */
	{ CGROUP_V2,
	  "\"unified\":{\"memory.high\":\"1000\",\"cgroup.max.depth\":\"3\",\"io.max\":\"8:0 "
	  "rbps=1\\n8:1 rbps=2\","
	  "\"misc.max\":\"res_a 1\",\"novel.thing\":\"x\"},\"memory\":{\"limit\":2000}",
	  "cgroup/memory.max=2000 @memory/limit\n"
	  "cgroup/memory.high=1000 @unified/memory.high\n"
	  "cgroup/cgroup.max.depth=3 @unified/cgroup.max.depth\n"
	  "cgroup/io.max=8:0 rbps=1\n8:1 rbps=2 lines @unified/io.max\n"
	  "cgroup/misc.max=res_a 1 @unified/misc.max\n"
	  "cgroup/novel.thing=x @unified/novel.thing\n" },
	{ CGROUP_HYBRID, "\"unified\":{\"hugetlb.2MB.max\":\"0\"}",
	  "cgroup/unified/hugetlb.2MB.max=0 @unified/hugetlb.2MB.max\n" },
	/* Hybrid: v1 words for what v1 has, the v2 mount for the rest, in one list */
	{ CGROUP_HYBRID,
	  "\"memory\":{\"limit\":1000},\"cpu\":{\"shares\":512},\"hugepageLimits\":[{\"pageSize\":"
	  "\"2MB\",\"limit\":1}]",
	  "cgroup/memory/memory.limit_in_bytes=1000 @memory/limit\n"
	  "cgroup/cpu/cpu.shares=512 @cpu/shares\n"
	  "cgroup/unified/hugetlb.2MB.max=1 @hugepageLimits/0\n"
	  "cgroup/unified/hugetlb.2MB.rsvd.max=1 optional @hugepageLimits/0\n" },
};

static void test_K15_R16_R17_R18_R19_R20_R22_writes_in_their_order(void **state)
{
	defer_arena struct arena arena = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const struct cgroup_layout *layout = &layouts[good[i].layout];
		struct config *config = read_resources(&arena, good[i].resources);
		struct cgroup_knobs knobs;
		struct err err = ERR_INIT;
		const char *got;

		if (cgroup_knobs(&arena, &config->linux_.resources, layout, &knobs, &err) < 0)
			fail_msg("row %zu (%s): %s %s", i, good[i].resources, err.pointer,
				 err.text);
		got = describe(&arena, layout, &knobs);
		if (strcmp(got, good[i].expected) != 0)
			fail_msg("row %zu (%s):\n%s, expected\n%s", i, good[i].resources, got,
				 good[i].expected);
	}
}

struct bad {
	int layout;
	const char *resources, *text, *pointer; /* below /linux/resources */
	const char *hint;
};

#define NO_V2        ": cgroup v2 has nothing like it"
#define UNIFIED_HINT "leave it out, or say what you want in v2 words in linux.resources.unified"

static const struct bad bad[] = {
	/* no v2 form */
	{ CGROUP_V2, "\"memory\":{\"kernel\":1}", "set memory.kernel" NO_V2, "memory/kernel",
	  UNIFIED_HINT },
	{ CGROUP_V2, "\"memory\":{\"kernelTCP\":1}", "set memory.kernelTCP" NO_V2,
	  "memory/kernelTCP", UNIFIED_HINT },
	{ CGROUP_V2, "\"memory\":{\"swappiness\":0}", "set memory.swappiness" NO_V2,
	  "memory/swappiness", UNIFIED_HINT },
	{ CGROUP_V2, "\"memory\":{\"disableOOMKiller\":true}", "set memory.disableOOMKiller" NO_V2,
	  "memory/disableOOMKiller", UNIFIED_HINT },
	{ CGROUP_V2, "\"memory\":{\"useHierarchy\":false}", "set memory.useHierarchy" NO_V2,
	  "memory/useHierarchy", UNIFIED_HINT },
	{ CGROUP_V2, "\"cpu\":{\"realtimeRuntime\":1}", "set cpu.realtimeRuntime" NO_V2,
	  "cpu/realtimeRuntime", UNIFIED_HINT },
	{ CGROUP_V2, "\"cpu\":{\"realtimePeriod\":1}", "set cpu.realtimePeriod" NO_V2,
	  "cpu/realtimePeriod", UNIFIED_HINT },
	{ CGROUP_V2, "\"blockIO\":{\"leafWeight\":10}", "set blockIO.leafWeight" NO_V2,
	  "blockIO/leafWeight", UNIFIED_HINT },
	{ CGROUP_V2, "\"blockIO\":{\"weightDevice\":[{\"major\":1,\"minor\":2,\"leafWeight\":10}]}",
	  "set blockIO.weightDevice.leafWeight" NO_V2, "blockIO/weightDevice/0/leafWeight",
	  UNIFIED_HINT },
	{ CGROUP_V2, "\"network\":{\"classID\":1}", "set network.classID" NO_V2, "network/classID",
	  UNIFIED_HINT },
	{ CGROUP_V2, "\"network\":{\"priorities\":[{\"name\":\"lo\",\"priority\":1}]}",
	  "set network.priorities" NO_V2, "network/priorities/0", UNIFIED_HINT },
	/* K-6: a controller that is not there */
	{ POOR_V2, "\"memory\":{\"limit\":1}",
	  "set memory.limit: this host has no cgroup controller \"memory\"", "memory/limit",
	  "controllers of \"/sys/fs/cgroup\": cpu pids" },
	{ CGROUP_HYBRID, "\"blockIO\":{\"weight\":10}",
	  "set blockIO.weight: this host has no cgroup controller \"blkio\"", "blockIO/weight",
	  "controllers of \"/sys/fs/cgroup/unified\": hugetlb" },
	{ CGROUP_NONE, "\"pids\":{\"limit\":0}",
	  "set pids.limit: this host has no cgroup controller \"pids\"", "pids/limit",
	  "no cgroup filesystem is mounted on this host; mount one, or leave the limit out" },
	{ CGROUP_NONE, "\"devices\":[{\"allow\":false}]",
	  "set devices: this host has no cgroup controller \"devices\"", "devices", NULL },
	{ CGROUP_HYBRID, "\"rdma\":{\"x\":{\"hcaHandles\":3}}",
	  "set rdma: this host has no cgroup controller \"rdma\"", "rdma/x", NULL },
	/* K-14, R-23 */
	{ CGROUP_V1, "\"unified\":{\"memory.max\":\"1\"}",
	  "write unified \"memory.max\": this host has no cgroup v2 mount", "unified/memory.max",
	  NULL },
	{ CGROUP_HYBRID, "\"unified\":{\"memory.max\":\"1\"}",
	  "write unified \"memory.max\": the cgroup v2 mount has no such controller",
	  "unified/memory.max", "controllers of \"/sys/fs/cgroup/unified\": hugetlb" },
};

static void test_refusals(void **state)
{
	defer_arena struct arena arena = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct config *config = read_resources(&arena, bad[i].resources);
		struct cgroup_knobs knobs;
		struct err err = ERR_INIT;

		assert_int_equal(cgroup_knobs(&arena, &config->linux_.resources,
					      &layouts[bad[i].layout], &knobs, &err),
				 -EINVAL);
		assert_string_equal(err.text, bad[i].text);
		assert_string_equal(err.pointer,
				    arena_printf(&arena, "/linux/resources/%s", bad[i].pointer));
		assert_int_equal(err.kind, ERR_USER);
		if (bad[i].hint)
			assert_string_equal(err.hint, bad[i].hint);
	}
}

/* The reader refuses these, but update will come here without it. */
static void test_R4_swap_against_limit(void **state)
{
	static const struct {
		struct opt_i64 limit;
		const char *text;
	} rows[] = {
		{ { false, 0 }, "set memory.swap to 5: memory.limit is not given" },
		{ { true, 0 }, "set memory.swap to 5: memory.limit is not given" },
		{ { true, 6 }, "set memory.swap to 5: that is below memory.limit" },
		{ { true, -1 }, "set memory.swap to 5: memory.limit is unlimited" },
	};
	defer_arena struct arena arena = { 0 };

	for (int mode = CGROUP_V1; mode <= CGROUP_V2; mode++) {
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct config_resources resources = { .memory.swap = { true, 5 },
							      .memory.limit = rows[i].limit };
			struct cgroup_knobs knobs;
			struct err err = ERR_INIT;

			assert_int_equal(
				cgroup_knobs(&arena, &resources, &layouts[mode], &knobs, &err),
				-EINVAL);
			assert_string_equal(err.text, rows[i].text);
			assert_string_equal(err.pointer, "/linux/resources/memory/swap");
			assert_true(err.hint[0]);
		}
	}
}

static void test_K14_unified_keys(void **state)
{
	static const char *const keys[] = { "",    ".",
					    "..",  "../memory.max",
					    "a/b", "/sys/fs/cgroup/memory.max" };
	defer_arena struct arena arena = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct key_value item = { keys[i], "1" };
		struct config_resources resources = { .unified = { &item, 1 } };
		struct cgroup_knobs knobs;
		struct err err = ERR_INIT;

		assert_int_equal(
			cgroup_knobs(&arena, &resources, &layouts[CGROUP_V2], &knobs, &err),
			-EINVAL);
		assert_non_null(strstr(err.text, "that is not the name of a file in a cgroup"));
		assert_string_equal(
			err.hint,
			"a key is a file of the container's own cgroup, e.g. \"memory.high\"");
	}
}

static void test_R12_burst_above_quota(void **state)
{
	struct config_resources resources = { .cpu.quota = { true, 1000 },
					      .cpu.burst = { true, 1001 } };
	defer_arena struct arena arena = { 0 };
	struct cgroup_knobs knobs;
	struct err err = ERR_INIT;

	assert_int_equal(cgroup_knobs(&arena, &resources, &layouts[CGROUP_V1], &knobs, &err),
			 -EINVAL);
	assert_string_equal(err.text, "set cpu.burst to 1001: that is above cpu.quota, 1000");
	assert_string_equal(err.pointer, "/linux/resources/cpu/burst");
	resources.cpu.burst.v = 1000;
	assert_int_equal(cgroup_knobs(&arena, &resources, &layouts[CGROUP_V1], &knobs, &err), 0);
	/* No limit has nothing to save up from, but the kernel takes any burst then. */
	resources.cpu.quota.v = -1;
	resources.cpu.burst.v = 5000;
	assert_int_equal(cgroup_knobs(&arena, &resources, &layouts[CGROUP_V2], &knobs, &err), 0);
}

static void test_needed_controllers(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct config *config = read_resources(
		&arena, "\"cpu\":{\"cpus\":\"0\",\"shares\":5},\"pids\":{\"limit\":1},"
			"\"unified\":{\"cpu.idle\":\"0\",\"cgroup.freeze\":\"0\"}");
	struct cgroup_knobs knobs;
	struct err err = ERR_INIT;

	assert_int_equal(
		cgroup_knobs(&arena, &config->linux_.resources, &layouts[CGROUP_V2], &knobs, &err),
		0);
	assert_string_equal(knobs.v2_needed, "+cpuset +cpu +pids");
	assert_true(knobs.cpus_given);
	assert_false(knobs.mems_given);
	assert_int_equal(
		cgroup_knobs(&arena, &config->linux_.resources, &layouts[POOR_V2], &knobs, &err),
		-EINVAL);
}

static void test_zero_limits_are_noted(void **state)
{
	defer_arena struct arena arena = { 0 };
	struct config *config = read_resources(&arena, "\"memory\":{\"limit\":0,\"swap\":0}");
	struct cgroup_knobs knobs;
	struct err err = ERR_INIT;

	assert_int_equal(
		cgroup_knobs(&arena, &config->linux_.resources, &layouts[CGROUP_V2], &knobs, &err),
		0);
	assert_int_equal(knobs.n_notes, 2);
	assert_string_equal(knobs.notes[0].pointer, "/linux/resources/memory/limit");
	assert_string_equal(knobs.notes[1].pointer, "/linux/resources/memory/swap");
	assert_string_equal(knobs.notes[1].why, "0 asks for no limit");
}

/* ---- conversions ------------------------------------------------------------------------------------------------ */

static void test_R10_cpu_weight(void **state)
{
	static const uint64_t pairs[][2] = {
		{ 0, 1 },          { 1, 1 },          { 2, 1 },
		{ 3, 2 },          { 1024, 100 },     { 1025, 101 },
		{ 262143, 10000 }, { 262144, 10000 }, { UINT64_MAX, 10000 },
	};
	uint64_t last = 0;

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		assert_int_equal(cgroup_cpu_weight(pairs[i][0]), pairs[i][1]);
	for (uint64_t shares = 2; shares <= 262144; shares++) {
		uint64_t weight = cgroup_cpu_weight(shares);

		assert_true(weight >= last && weight >= 1 && weight <= 10000);
		last = weight;
	}
}

/* Our own arithmetic rounds each of them as the C library's does. */
static void test_R10_cpu_weight_by_the_formula(void **state)
{
	for (uint64_t shares = 3; shares < 262144; shares++) {
		double l = log2((double)shares);

		assert_int_equal(cgroup_cpu_weight(shares),
				 (uint64_t)ceil(pow(10, (l * l + 125 * l - 126) / 612)));
	}
}

static void test_R16_io_weight(void **state)
{
	static const uint64_t pairs[][2] = {
		{ 1, 1 }, { 10, 1 }, { 11, 11 }, { 500, 4950 }, { 1000, 10000 }
	};

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		assert_int_equal(cgroup_io_weight(pairs[i][0]), pairs[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_K15_R16_R17_R18_R19_R20_R22_writes_in_their_order),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_R4_swap_against_limit),
		cmocka_unit_test(test_K14_unified_keys),
		cmocka_unit_test(test_R12_burst_above_quota),
		cmocka_unit_test(test_needed_controllers),
		cmocka_unit_test(test_zero_limits_are_noted),
		cmocka_unit_test(test_R10_cpu_weight),
		cmocka_unit_test(test_R10_cpu_weight_by_the_formula),
		cmocka_unit_test(test_R16_io_weight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
