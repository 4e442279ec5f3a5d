/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The numbers of `events`, from trees of files as v1 and v2 have them. */
#include "cgroup/oom.h"
#include "cgroup/stats.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct file {
	const char *path, *text;
};

/* ---- the trees -------------------------------------------------------------------------------------------------- */

static const struct file v1_files[] = {
	{ "cpu/cpuacct.usage", "123456789\n" },
	{ "cpu/cpuacct.stat", "user 7\nsystem 5\n" },
	{ "cpu/cpuacct.usage_percpu", "100 23 \n" },
	{ "cpu/cpuacct.usage_all", "cpu user system\n0 60 40\n1 20 3\n" },
	{ "cpu/cpu.stat", "nr_periods 9\nnr_throttled 4\nthrottled_time 77\n" },
	{ "cpuset/cpuset.cpus", "0-2,5\n" },
	{ "cpuset/cpuset.mems", "0\n" },
	{ "cpuset/cpuset.sched_load_balance", "1\n" },
	{ "cpuset/cpuset.sched_relax_domain_level", "-1\n" },
	{ "memory/memory.limit_in_bytes", "4096\n" },
	{ "memory/memory.usage_in_bytes", "1000\n" },
	{ "memory/memory.max_usage_in_bytes", "2000\n" },
	{ "memory/memory.failcnt", "3\n" },
	{ "memory/memory.memsw.limit_in_bytes", "8192\n" },
	{ "memory/memory.stat", "cache 500\nrss 300\n" },
	{ "pids/pids.current", "2\n" },
	{ "pids/pids.max", "max\n" },
	{ "blkio/blkio.throttle.io_service_bytes_recursive",
	  "8:0 Read 4096\n8:0 Total 4096\n8:16 Read 0\nTotal 4096\n" },
	{ "blkio/blkio.bfq.time_recursive", "8:0 12\n" },
	{ "blkio/blkio.bfq.io_service_bytes_recursive", "Total 0\n" },
	{ "hugetlb/hugetlb.2MB.usage_in_bytes", "5\n" },
	{ "hugetlb/hugetlb.2MB.max_usage_in_bytes", "6\n" },
	{ "hugetlb/hugetlb.2MB.failcnt", "7\n" },
};

static const char v1_expected[] = "{\"cpu\":{\"usage\":{\"total\":123456789,\"kernel\":50000000,"
				  "\"user\":70000000,\"percpu\":[100,23],"
				  "\"percpu_user\":[60,20],\"percpu_kernel\":[40,3]},"
				  "\"throttling\":{\"periods\":9,\"throttledPeriods\":4,"
				  "\"throttledTime\":77}},\"cpuset\":{\"cpus\":[0,1,2,5],\"mems\":["
				  "0],\"cpu_exclusive\":0,\"mem_hardwall\":0,"
				  "\"mem_exclusive\":0,\"memory_migrate\":0,\"memory_spread_page\":"
				  "0,\"memory_spread_slab\":0,"
				  "\"memory_pressure\":0,\"sched_load_balance\":1,\"sched_relax_"
				  "domain_level\":-1},\"memory\":{\"cache\":500,"
				  "\"kernel\":{\"limit\":0,\"failcnt\":0},\"kernelTCP\":{\"limit\":"
				  "0,\"failcnt\":0},\"usage\":{\"limit\":4096,"
				  "\"usage\":1000,\"max\":2000,\"failcnt\":3},\"swap\":{\"limit\":"
				  "8192,\"failcnt\":0},\"raw\":{\"cache\":500,"
				  "\"rss\":300}},\"pids\":{\"current\":2},\"blkio\":{"
				  "\"ioServiceBytesRecursive\":[{\"major\":8,\"op\":\"Read\","
				  "\"value\":4096},{\"major\":8,\"op\":\"Total\",\"value\":4096},{"
				  "\"major\":8,\"minor\":16,\"op\":\"Read\"}],"
				  "\"ioTimeRecursive\":[{\"major\":8,\"value\":12}]},\"hugetlb\":{"
				  "\"2MB\":{\"usage\":5,\"max\":6,\"failcnt\":7}}}";

static const struct file v2_files[] = {
	{ "all/cpu.stat", "usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 2\nnr_throttled "
			  "1\nthrottled_usec 5\n" },
	{ "all/cpu.pressure", "some avg10=1.50 avg60=0.00 avg300=0.25 total=99\nfull avg10=0.00 "
			      "avg60=0.00 avg300=0.00 total=3\n" },
	{ "all/cpuset.cpus.effective", "1\n" },
	{ "all/cpuset.mems.effective", "\n" },
	{ "all/memory.current", "1000\n" },
	{ "all/memory.max", "4096\n" },
	{ "all/memory.peak", "2000\n" },
	{ "all/memory.swap.current", "10\n" },
	{ "all/memory.swap.max", "max\n" },
	{ "all/memory.events", "low 0\nhigh 0\nmax 6\noom 1\noom_kill 1\n" },
	{ "all/memory.stat", "anon 1\nfile 500\nkernel 40\nfile_mapped 7\nsock 8\n" },
	{ "all/pids.current", "2\n" },
	{ "all/pids.max", "9\n" },
	{ "all/io.stat", "8:0 rbytes=4096 wbytes=1 rios=2 wios=3 dbytes=0 dios=0\n8:16 \n" },
	{ "all/hugetlb.2MB.current", "1\n" },
	{ "all/hugetlb.2MB.rsvd.current", "5\n" },
	{ "all/hugetlb.2MB.events", "max 4\n" },
};

static const char v2_expected[] =
	"{\"cpu\":{\"usage\":{\"total\":30000,\"kernel\":10000,\"user\":20000},\"throttling\":{"
	"\"periods\":2,"
	"\"throttledPeriods\":1,\"throttledTime\":5000},\"psi\":{\"some\":{\"avg10\":1.50,"
	"\"avg60\":0.00,"
	"\"avg300\":0.25,\"total\":99},\"full\":{\"avg10\":0.00,\"avg60\":0.00,\"avg300\":0.00,"
	"\"total\":3}}},"
	"\"cpuset\":{\"cpus\":[1],\"cpu_exclusive\":0,\"mem_hardwall\":0,\"mem_exclusive\":0,"
	"\"memory_migrate\":0,"
	"\"memory_spread_page\":0,\"memory_spread_slab\":0,\"memory_pressure\":0,\"sched_load_"
	"balance\":0,"
	"\"sched_relax_domain_level\":0},\"memory\":{\"cache\":500,\"kernel\":{\"limit\":0,"
	"\"usage\":40,"
	"\"failcnt\":0},\"kernelTCP\":{\"limit\":0,\"usage\":8,\"failcnt\":0},\"usage\":{\"limit\":"
	"4096,\"usage\":1000,"
	"\"max\":2000,\"failcnt\":6},\"swap\":{\"limit\":18446744073709551615,\"usage\":1010,"
	"\"max\":2000,"
	"\"failcnt\":0},\"raw\":{\"anon\":1,\"file\":500,\"kernel\":40,\"file_mapped\":7,\"sock\":"
	"8}},"
	"\"pids\":{\"current\":2,\"limit\":9},\"blkio\":{\"ioServiceBytesRecursive\":[{\"major\":8,"
	"\"op\":\"Read\","
	"\"value\":4096},{\"major\":8,\"op\":\"Write\",\"value\":1},{\"major\":8,\"op\":"
	"\"Discard\"}],"
	"\"ioServicedRecursive\":[{\"major\":8,\"op\":\"Read\",\"value\":2},{\"major\":8,\"op\":"
	"\"Write\",\"value\":3},"
	"{\"major\":8,\"op\":\"Discard\"}]},\"hugetlb\":{\"2MB\":{\"usage\":5,\"failcnt\":4}}}";

#define V1(name, list)                                                                             \
	{                                                                                          \
		.mount = name, .root = "/", .controllers = list, .own_path = "/"                   \
	}

static struct cgroup_hierarchy v1_items[] = { V1("cpu", "cpu,cpuacct"), V1("cpuset", "cpuset"),
					      V1("memory", "memory"),   V1("pids", "pids"),
					      V1("blkio", "blkio"),     V1("hugetlb", "hugetlb") };
static struct cgroup_hierarchy v2_items[] = {
	{ .v2 = true, .mount = "all", .root = "/", .controllers = "", .own_path = "/" }
};

/* ----------------------------------------------------------------------------------------------------------------- */

static void make_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	*strrchr(path, '/') = '\0';
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void remove_tree(const char *dir)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -r '%s'", dir);
	assert_int_equal(system(command), 0);
}

static void check(struct cgroup_hierarchy *items, size_t n, const struct file *files,
		  size_t n_files, const char *expected)
{
	const struct cgroup_layout layout = { .items = items, .n = n };
	char dir[] = "/tmp/tare-unit-XXXXXX";
	struct arena arena = { 0 };
	struct cgroup_dir dirs[8];
	struct json_writer w;

	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < n_files; i++)
		make_file(dir, files[i].path, files[i].text);
	for (size_t i = 0; i < n; i++)
		dirs[i] = (struct cgroup_dir){ .path = arena_printf(&arena, "%s/%s", dir,
								    items[i].mount),
					       .v2 = items[i].v2 };

	json_writer_init(&w, &arena, 0);
	json_object_begin(&w, NULL);
	cgroup_stats_write(&w, &layout, dirs);
	json_object_end(&w);
	assert_string_equal(json_writer_text(&w, NULL), expected);
	remove_tree(dir);
	arena_clear(&arena);
}

static void test_C7_simulated_v1(void **state)
{
	check(v1_items, ARRAY_LEN(v1_items), v1_files, ARRAY_LEN(v1_files), v1_expected);
}

static void test_C7_simulated_v2(void **state)
{
	check(v2_items, ARRAY_LEN(v2_items), v2_files, ARRAY_LEN(v2_files), v2_expected);
}

/* A container whose cgroups are gone: still an event that callers can decode. */
static void test_C7_simulated_without_files(void **state)
{
	static const char expected[] = "{\"cpu\":{\"usage\":{\"kernel\":0,\"user\":0},"
				       "\"throttling\":{}},\"cpuset\":{\"cpu_exclusive\":0,"
				       "\"mem_hardwall\":0,\"mem_exclusive\":0,\"memory_migrate\":"
				       "0,\"memory_spread_page\":0,"
				       "\"memory_spread_slab\":0,\"memory_pressure\":0,\"sched_"
				       "load_balance\":0,\"sched_relax_domain_level\":0},"
				       "\"memory\":{\"kernel\":{\"limit\":0,\"failcnt\":0},"
				       "\"kernelTCP\":{\"limit\":0,\"failcnt\":0},"
				       "\"usage\":{\"limit\":0,\"failcnt\":0},\"swap\":{\"limit\":"
				       "0,\"failcnt\":0}},\"pids\":{},\"blkio\":{},"
				       "\"hugetlb\":{}}";

	check(v1_items, 0, NULL, 0, expected);
}

static void test_C7_simulated_oom_on_v2(void **state)
{
	char dir[] = "/tmp/tare-unit-XXXXXX";
	struct cgroup_dir cgroup = { .path = dir, .v2 = true };
	struct err err = ERR_INIT;
	struct cgroup_oom oom;
	struct pollfd fd = { .events = POLLIN };

	assert_non_null(mkdtemp(dir));
	make_file(dir, "memory.events", "oom 4\noom_kill 3\n");
	assert_int_equal(cgroup_oom_open(&cgroup, 1, &oom, &err), 0);
	assert_true(oom.fd >= 0);
	assert_int_equal(cgroup_oom_count(&oom), 0);
	make_file(dir, "memory.events", "oom 6\noom_kill 5\n");
	fd.fd = oom.fd;
	assert_int_equal(poll(&fd, 1, 1000), 1);
	assert_int_equal(cgroup_oom_count(&oom), 2);
	assert_int_equal(cgroup_oom_count(&oom), 0);
	assert_int_equal(poll(&fd, 1, 0), 0);
	cgroup_oom_close(&oom);
	remove_tree(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_C7_simulated_v1),
		cmocka_unit_test(test_C7_simulated_v2),
		cmocka_unit_test(test_C7_simulated_without_files),
		cmocka_unit_test(test_C7_simulated_oom_on_v2),
	};

	return cmocka_run_group_tests_name("cgroup-stats", tests, NULL, NULL);
}
