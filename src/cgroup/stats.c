/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The members that are numbers; block I/O and huge pages, which are lists, are in stats_io.c. */
#include "cgroup/stats_read.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_US 1000
/* cpuacct.stat counts in USER_HZ, which is 100 for every program on every architecture that we run on. */
#define NS_PER_TICK 10000000

/* ---- cpu -------------------------------------------------------------------------------------------------------- */

static const struct stats_number usage_rows[] = {
	{ "total", "cpuacct.usage", NULL, "cpu.stat", "usage_usec", 0, NS_PER_US, .if_any = true },
	{ "kernel", "cpuacct.stat", "system", "cpu.stat", "system_usec", NS_PER_TICK, NS_PER_US },
	{ "user", "cpuacct.stat", "user", "cpu.stat", "user_usec", NS_PER_TICK, NS_PER_US },
};

static const struct stats_number throttling_rows[] = {
	{ "periods", "cpu.stat", "nr_periods", "cpu.stat", "nr_periods", .if_any = true },
	{ "throttledPeriods", "cpu.stat", "nr_throttled", "cpu.stat", "nr_throttled",
	  .if_any = true },
	{ "throttledTime", "cpu.stat", "throttled_time", "cpu.stat", "throttled_usec", 0, NS_PER_US,
	  .if_any = true },
};

static void add_percpu(struct stats_reader *r, struct json_writer *w)
{
	const char *text = stats_text(r, "cpuacct.usage_percpu");
	char *end;

	if (!text)
		return;
	json_array_begin(w, "percpu");
	for (uint64_t value = strtoull(text, &end, 10); end != text;
	     value = strtoull(text, &end, 10)) {
		json_add_u64(w, NULL, value);
		text = end;
	}
	json_array_end(w);
}

/* "cpu user system" and a line for each CPU. @column: 1 or 2 */
static void add_percpu_kind(struct stats_reader *r, struct json_writer *w, const char *name,
			    int column)
{
	const char *line = stats_text(r, "cpuacct.usage_all");

	line = line ? strchr(line, '\n') : NULL;
	if (!line)
		return;
	json_array_begin(w, name);
	for (; line && line[1]; line = strchr(line + 1, '\n')) {
		const char *at = line + 1;
		uint64_t value = 0;
		char *end;

		for (int i = 0; i <= column; i++) {
			value = strtoull(at, &end, 10);
			at = end;
		}
		json_add_u64(w, NULL, value);
	}
	json_array_end(w);
}

static void add_cpu(struct stats_reader *r, struct json_writer *w)
{
	json_object_begin(w, "cpu");
	stats_select(r, "cpuacct");
	json_object_begin(w, "usage");
	stats_object(r, w, NULL, usage_rows, ARRAY_LEN(usage_rows));
	if (!r->v2) {
		add_percpu(r, w);
		add_percpu_kind(r, w, "percpu_user", 1);
		add_percpu_kind(r, w, "percpu_kernel", 2);
	}
	json_object_end(w);
	stats_select(r, "cpu");
	stats_object(r, w, "throttling", throttling_rows, ARRAY_LEN(throttling_rows));
	stats_pressure(r, w, "cpu.pressure");
	json_object_end(w);
}

/* ---- cpuset ----------------------------------------------------------------------------------------------------- */

#define CPUSET_FLAG(name, file)                                                                    \
	{                                                                                          \
		name, "cpuset." file, NULL, NULL, NULL, .if_any = false                            \
	}

/* v2 has none of these switches. */
static const struct stats_number cpuset_rows[] = {
	CPUSET_FLAG("cpu_exclusive", "cpu_exclusive"),
	CPUSET_FLAG("mem_hardwall", "mem_hardwall"),
	CPUSET_FLAG("mem_exclusive", "mem_exclusive"),
	CPUSET_FLAG("memory_migrate", "memory_migrate"),
	CPUSET_FLAG("memory_spread_page", "memory_spread_page"),
	CPUSET_FLAG("memory_spread_slab", "memory_spread_slab"),
	CPUSET_FLAG("memory_pressure", "memory_pressure"),
	CPUSET_FLAG("sched_load_balance", "sched_load_balance"),
};

static void add_cpuset(struct stats_reader *r, struct json_writer *w)
{
	const char *level;

	stats_select(r, "cpuset");
	json_object_begin(w, "cpuset");
	stats_list(r, w, "cpus", r->v2 ? "cpuset.cpus.effective" : "cpuset.cpus");
	stats_list(r, w, "mems", r->v2 ? "cpuset.mems.effective" : "cpuset.mems");
	stats_object(r, w, NULL, cpuset_rows, ARRAY_LEN(cpuset_rows));
	level = r->v2 ? NULL
		      : stats_text(r, "cpuset.sched_relax_domain_level"); /* -1: the system's */
	json_add_i64(w, "sched_relax_domain_level", level ? strtoll(level, NULL, 10) : 0);
	json_object_end(w);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static const struct stats_number memory_rows[] = {
	{ "limit", "memory.limit_in_bytes", NULL, "memory.max", NULL },
	{ "usage", "memory.usage_in_bytes", NULL, "memory.current", NULL, .if_any = true },
	{ "max", "memory.max_usage_in_bytes", NULL, "memory.peak", NULL, .if_any = true },
	{ "failcnt", "memory.failcnt", NULL, "memory.events", "max" },
};

static const struct stats_number swap_rows[] = {
	{ "limit", "memory.memsw.limit_in_bytes", NULL, NULL, NULL },
	{ "usage", "memory.memsw.usage_in_bytes", NULL, NULL, NULL, .if_any = true },
	{ "max", "memory.memsw.max_usage_in_bytes", NULL, NULL, NULL, .if_any = true },
	{ "failcnt", "memory.memsw.failcnt", NULL, NULL, NULL },
};

/* v2 counts what the kernel uses, but limits it with everything else. */
static const struct stats_number kernel_rows[] = {
	{ "limit", "memory.kmem.limit_in_bytes", NULL, NULL, NULL },
	{ "usage", "memory.kmem.usage_in_bytes", NULL, "memory.stat", "kernel", .if_any = true },
	{ "max", "memory.kmem.max_usage_in_bytes", NULL, NULL, NULL, .if_any = true },
	{ "failcnt", "memory.kmem.failcnt", NULL, NULL, NULL },
};

static const struct stats_number kernel_tcp_rows[] = {
	{ "limit", "memory.kmem.tcp.limit_in_bytes", NULL, NULL, NULL },
	{ "usage", "memory.kmem.tcp.usage_in_bytes", NULL, "memory.stat", "sock", .if_any = true },
	{ "max", "memory.kmem.tcp.max_usage_in_bytes", NULL, NULL, NULL, .if_any = true },
	{ "failcnt", "memory.kmem.tcp.failcnt", NULL, NULL, NULL },
};

static const struct stats_number cache_row = { "cache",       "memory.stat", "cache",
					       "memory.stat", "file",        .if_any = true };

static uint64_t sum(struct stats_reader *r, const char *memory, const char *swap)
{
	uint64_t a = stats_number(r, memory, NULL), b = stats_number(r, swap, NULL);

	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* v2 counts swap alone; callers of runc get what v1 has: both together. */
static void add_swap_v2(struct stats_reader *r, struct json_writer *w)
{
	json_object_begin(w, "swap");
	json_add_u64(w, "limit", sum(r, "memory.max", "memory.swap.max"));
	json_add_u64(w, "usage", sum(r, "memory.current", "memory.swap.current"));
	json_add_u64(w, "max", sum(r, "memory.peak", "memory.swap.peak"));
	json_add_u64(w, "failcnt", stats_number(r, "memory.swap.events", "fail"));
	json_object_end(w);
}

static void add_raw(struct stats_reader *r, struct json_writer *w)
{
	char *text = stats_text(r, "memory.stat"), *line, *name;

	if (!text)
		return;
	json_object_begin(w, "raw");
	while ((line = strsep(&text, "\n"))) {
		name = strsep(&line, " ");
		if (name && line)
			json_add_u64(w, name, strtoull(line, NULL, 10));
	}
	json_object_end(w);
	r->file = NULL; /* its text was cut up */
}

static void add_memory(struct stats_reader *r, struct json_writer *w)
{
	stats_select(r, "memory");
	json_object_begin(w, "memory");
	stats_object(r, w, NULL, &cache_row, 1);
	stats_object(r, w, "kernel", kernel_rows, ARRAY_LEN(kernel_rows));
	stats_object(r, w, "kernelTCP", kernel_tcp_rows, ARRAY_LEN(kernel_tcp_rows));
	stats_object(r, w, "usage", memory_rows, ARRAY_LEN(memory_rows));
	if (r->v2)
		add_swap_v2(r, w);
	else
		stats_object(r, w, "swap", swap_rows, ARRAY_LEN(swap_rows));
	add_raw(r, w);
	stats_pressure(r, w, "memory.pressure");
	json_object_end(w);
}

/* ---- pids, and all ---------------------------------------------------------------------------------------------- */

static const struct stats_number pids_rows[] = {
	{ "current", "pids.current", NULL, "pids.current", NULL, .if_any = true },
	{ "limit", "pids.max", NULL, "pids.max", NULL, .if_any = true, .max_is_zero = true },
};

void cgroup_stats_write(struct json_writer *w, const struct cgroup_layout *layout,
			const struct cgroup_dir *dirs)
{
	struct stats_reader r = { .layout = layout, .dirs = dirs, .fd = -EBADF };

	add_cpu(&r, w);
	add_cpuset(&r, w);
	add_memory(&r, w);
	stats_select(&r, "pids");
	stats_object(&r, w, "pids", pids_rows, ARRAY_LEN(pids_rows));
	stats_blkio(&r, w);
	stats_hugetlb(&r, w);
	defer_close_fn(&r.fd);
	arena_clear(&r.arena);
}
