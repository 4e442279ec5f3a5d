/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/unit_properties.h"

#include "base/num.h"
#include "cgroup/devices.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define UNLIMITED "18446744073709551615"

/* CPUQuota= in a unit's file is a whole percentage (systemd 252): what is finer is cut off when the file is read again. */
#define QUOTA_STEP_US 10000

#define CPU_PERIOD_DEFAULT_US 100000

/* CPUs and memory nodes: more than Linux can have. */
#define CPU_MAX 8192

struct translator {
	struct arena *arena;
	struct unit_property_list *list;
	const struct cgroup_write *writes; /* all of them: a quota needs its period */
	size_t n;
};

/* ---- appending -------------------------------------------------------------------------------------------------- */

static void set_property(struct translator *t, const char *pointer, const char *name,
			 const char *signature, const char *word)
{
	/* Properties with a list of devices are added up; of all others one is enough, the last. */
	unit_property_remove(t->list, name);
	unit_property_add(t->arena, t->list, pointer, name, signature, &word, 1);
}

static void set_number(struct translator *t, const char *pointer, const char *name, uint64_t value)
{
	set_property(t, pointer, name, "t", arena_printf(t->arena, "%" PRIu64, value));
}

/* ---- one file's value as one property's ------------------------------------------------------------------------- */

struct row;
typedef void translate_fn(struct translator *t, const struct row *row, const char *value,
			  const char *pointer);

struct row {
	const char *file, *property;
	translate_fn *translate;
};

static bool is_unlimited(const char *value)
{
	return strcmp(value, "max") == 0 || strcmp(value, "-1") == 0;
}

/* A limit: a number, or none. What is neither is for the kernel to refuse. */
static void limit(struct translator *t, const struct row *row, const char *value,
		  const char *pointer)
{
	uint64_t number;

	if (is_unlimited(value))
		set_property(t, pointer, row->property, "t", UNLIMITED);
	else if (num_parse_u64(value, 0, UINT64_MAX - 1, &number) == 0)
		set_number(t, pointer, row->property, number);
}

/* systemd knows no limit of 0 tasks; with the container's init in it one of 1 is as good. */
static void tasks(struct translator *t, const struct row *row, const char *value,
		  const char *pointer)
{
	limit(t, row, strcmp(value, "0") == 0 ? "1" : value, pointer);
}

/* CPU time in a second, from a quota in a period; both in microseconds. */
static void set_quota(struct translator *t, const char *pointer, uint64_t quota, uint64_t period)
{
	uint64_t second = period ? quota * 1000000 / period : 0;

	if (quota > UINT64_MAX / 1000000 || period == 0)
		return;
	second = (second + QUOTA_STEP_US - 1) / QUOTA_STEP_US * QUOTA_STEP_US;
	set_number(t, pointer, "CPUQuotaPerSecUSec", second ? second : QUOTA_STEP_US);
}

/* "50000 100000", "max 100000"; the period may be missing. */
static void cpu_max(struct translator *t, const struct row *row, const char *value,
		    const char *pointer)
{
	size_t len = strcspn(value, " ");
	uint64_t quota, period = CPU_PERIOD_DEFAULT_US;

	if (value[len] && num_parse_u64(value + len + 1, 1, UINT64_MAX, &period) < 0)
		return;
	if (num_u64(value, len, &quota) == 0)
		set_quota(t, pointer, quota, period);
	else if (len == 3 && memcmp(value, "max", len) == 0)
		set_property(t, pointer, "CPUQuotaPerSecUSec", "t", UNLIMITED);
	else
		return;
	if (value[len])
		set_number(t, pointer, "CPUQuotaPeriodUSec", period);
}

static const char *find_value(const struct translator *t, const char *file)
{
	const char *value = NULL;

	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->writes[i].file, file) == 0)
			value = t->writes[i].value;
	}
	return value;
}

static void cfs_quota(struct translator *t, const struct row *row, const char *value,
		      const char *pointer)
{
	const char *text = find_value(t, "cpu.cfs_period_us");
	uint64_t quota, period = CPU_PERIOD_DEFAULT_US;

	if (text && num_parse_u64(text, 1, UINT64_MAX, &period) < 0)
		return;
	if (is_unlimited(value))
		set_property(t, pointer, row->property, "t", UNLIMITED);
	else if (num_parse_u64(value, 1, UINT64_MAX, &quota) == 0)
		set_quota(t, pointer, quota, period);
}

/* SCHED_IDLE for the whole cgroup is weight 0 in systemd's words. */
static void cpu_idle(struct translator *t, const struct row *row, const char *value,
		     const char *pointer)
{
	if (strcmp(value, "1") == 0)
		set_number(t, pointer, row->property, 0);
}

/* "0-3,7" as bytes, bit by bit. */
static void cpu_list(struct translator *t, const struct row *row, const char *value,
		     const char *pointer)
{
	uint8_t bits[CPU_MAX / 8] = { 0 };
	const char *words[CPU_MAX / 8 + 1];
	size_t n = 0;
	char *end;

	for (const char *at = value; *at; at = end + (*end == ',')) {
		unsigned long first = strtoul(at, &end, 10), last = first;

		if (!isdigit((unsigned char)*at))
			return;
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if ((*end && *end != ',') || last >= CPU_MAX)
			return;
		for (unsigned long cpu = first; cpu <= last; cpu++)
			bits[cpu / 8] |= (uint8_t)(1 << cpu % 8);
		if (last / 8 + 1 > n)
			n = last / 8 + 1;
	}
	words[0] = arena_printf(t->arena, "%zu", n);
	for (size_t i = 0; i < n; i++)
		words[i + 1] = arena_printf(t->arena, "%u", bits[i]);
	unit_property_remove(t->list, row->property);
	unit_property_add(t->arena, t->list, pointer, row->property, "ay", words, n + 1);
}

/* "8:0 100" is for one device, anything else for all. */
static void weight(struct translator *t, const struct row *row, const char *value,
		   const char *pointer)
{
	size_t len = strcspn(value, " ");
	const char *words[] = { "1", NULL, value + len + 1 };
	uint64_t number;

	if (strncmp(value, "default ", strlen("default ")) == 0) {
		limit(t, row, value + len + 1, pointer);
	} else if (!value[len]) {
		limit(t, row, value, pointer);
	} else if (num_parse_u64(value + len + 1, 1, UINT64_MAX, &number) == 0) {
		words[1] = arena_printf(t->arena, "/dev/block/%.*s", (int)len, value);
		unit_property_add(t->arena, t->list, pointer,
				  row->property[0] == 'B' ? "BlockIODeviceWeight"
							  : "IODeviceWeight",
				  "a(st)", words, 3);
	}
}

static const struct {
	const char *key, *property;
} io_keys[] = {
	{ "rbps", "IOReadBandwidthMax" },
	{ "wbps", "IOWriteBandwidthMax" },
	{ "riops", "IOReadIOPSMax" },
	{ "wiops", "IOWriteIOPSMax" },
};

/* "8:0 rbps=1000 wiops=max" */
static void io_max(struct translator *t, const struct row *row, const char *value,
		   const char *pointer)
{
	size_t len = strcspn(value, " "), key_len;
	const char *words[] = { "1", arena_printf(t->arena, "/dev/block/%.*s", (int)len, value),
				NULL };

	for (const char *at = value + len + strspn(value + len, " "); *at;
	     at += len, at += strspn(at, " ")) {
		len = strcspn(at, " ");
		key_len = strcspn(at, "=");
		if (key_len >= len)
			return;
		words[2] = arena_strndup(t->arena, at + key_len + 1, len - key_len - 1);
		if (is_unlimited(words[2]))
			words[2] = UNLIMITED;
		for (size_t i = 0; i < ARRAY_LEN(io_keys); i++) {
			if (strlen(io_keys[i].key) == key_len &&
			    memcmp(io_keys[i].key, at, key_len) == 0)
				unit_property_add(t->arena, t->list, pointer, io_keys[i].property,
						  "a(st)", words, 3);
		}
	}
}

/* v1: "8:0 1000", 0 takes the limit off. */
static void throttle(struct translator *t, const struct row *row, const char *value,
		     const char *pointer)
{
	size_t len = strcspn(value, " ");
	const char *words[] = { "1", arena_printf(t->arena, "/dev/block/%.*s", (int)len, value),
				value + len + 1 };

	if (!value[len])
		return;
	if (strcmp(words[2], "0") == 0)
		words[2] = UNLIMITED;
	unit_property_add(t->arena, t->list, pointer, row->property, "a(st)", words, 3);
}

/* clang-format off */
static const struct row rows[] = {
	{ "memory.max",        "MemoryMax",            limit },
	{ "memory.high",       "MemoryHigh",           limit },
	{ "memory.low",        "MemoryLow",            limit },
	{ "memory.min",        "MemoryMin",            limit },
	{ "memory.swap.max",   "MemorySwapMax",        limit },
	{ "cpu.weight",        "CPUWeight",            limit },
	{ "cpu.idle",          "CPUWeight",            cpu_idle },
	{ "cpu.max",           "CPUQuotaPerSecUSec",   cpu_max },
	{ "pids.max",          "TasksMax",             tasks },
	{ "cpuset.cpus",       "AllowedCPUs",          cpu_list },
	{ "cpuset.mems",       "AllowedMemoryNodes",   cpu_list },
	{ "io.weight",         "IOWeight",             weight },
	{ "io.bfq.weight",     "IOWeight",             weight },
	{ "io.max",            "IO",                   io_max },

	{ "memory.limit_in_bytes",             "MemoryLimit",        limit },
	{ "cpu.shares",                        "CPUShares",          limit },
	{ "cpu.cfs_quota_us",                  "CPUQuotaPerSecUSec", cfs_quota },
	{ "cpu.cfs_period_us",                 "CPUQuotaPeriodUSec", limit },
	{ "blkio.weight",                      "BlockIOWeight",      weight },
	{ "blkio.bfq.weight",                  "BlockIOWeight",      weight },
	{ "blkio.weight_device",               "BlockIOWeight",      weight },
	{ "blkio.bfq.weight_device",           "BlockIOWeight",      weight },
	{ "blkio.throttle.read_bps_device",    "IOReadBandwidthMax",  throttle },
	{ "blkio.throttle.write_bps_device",   "IOWriteBandwidthMax", throttle },
};
/* clang-format on */

static void translate(struct translator *t, const struct cgroup_write *write)
{
	/* The file that every kernel has, in the scale that systemd's property has, too. */
	const char *file = write->other_file ? write->other_file : write->file;
	const char *value = write->other_file ? write->other_value : write->value;
	size_t len;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].file, file) != 0)
			continue;
		for (const char *line = value; *line; line += len + (line[len] == '\n')) {
			len = strcspn(line, "\n");
			rows[i].translate(t, &rows[i], arena_strndup(t->arena, line, len),
					  write->pointer);
		}
	}
}

void unit_properties_of_writes(struct arena *arena, const struct cgroup_write *writes, size_t n,
			       struct unit_property_list *list)
{
	struct translator t = { .arena = arena, .list = list, .writes = writes, .n = n };

	for (size_t i = 0; i < n; i++)
		translate(&t, &writes[i]);
}

/* ---- devices ---------------------------------------------------------------------------------------------------- */

/* "c 1:3 rwm", "b 8:* r" or "c *:* m" as systemd names devices: by node, by major number or all of a type. */
static void add_device(struct arena *arena, const char *line, size_t len, const char **words)
{
	const char *type = *line == 'b' ? "block" : "char", *major = line + 2;
	int major_len = (int)strcspn(major, ":");
	const char *minor = major + major_len + 1;
	int minor_len = (int)strcspn(minor, " ");

	if (*major == '*')
		words[0] = arena_printf(arena, "%s-*", type);
	else if (*minor == '*')
		words[0] = arena_printf(arena, "%s-%.*s", type, major_len, major);
	else
		words[0] = arena_printf(arena, "/dev/%s/%.*s:%.*s", type, major_len, major,
					minor_len, minor);
	words[1] = arena_strndup(arena, minor + minor_len + 1,
				 len - (size_t)(minor + minor_len + 1 - line));
}

static size_t add_devices(struct arena *arena, const char *lines, const char **words)
{
	size_t n = 0, len;

	for (; *lines; lines += len + (lines[len] == '\n')) {
		len = strcspn(lines, "\n");
		add_device(arena, lines, len, words + n);
		n += 2;
	}
	return n;
}

int unit_properties_of_devices(struct arena *arena, const struct config_device_rule_list *rules,
			       struct unit_property_list *list, struct err *err)
{
	const char *pointer = rules->n ? "/linux/resources/devices" : "", *strict = "strict";
	struct device_list devices;
	struct device_rules read;
	const char **words;
	size_t n = 1;
	int r;

	r = device_rules_read(arena, rules, &read, err);
	if (r < 0)
		return r;
	if (device_rules_v1(arena, &read, &devices, err) < 0) {
		*err = ERR_INIT;
		return 0;
	}
	if (devices.allow)
		return 0;
	/* A line has at least eight bytes and makes two words. */
	words = arena_array(arena,
			    (strlen(devices.own_lines) + strlen(devices.config_lines)) / 4 + 4,
			    sizeof(*words));
	n += add_devices(arena, devices.own_lines, words + n);
	n += add_devices(arena, devices.config_lines, words + n);
	words[0] = arena_printf(arena, "%zu", (n - 1) / 2);
	unit_property_add(arena, list, pointer, "DevicePolicy", "s", &strict, 1);
	unit_property_add(arena, list, pointer, "DeviceAllow", "a(ss)", words, n);
	return 0;
}

void unit_properties_reset_devices(struct arena *arena, struct unit_property_list *list)
{
	const char *policy = "auto", *none = "0";

	/* A list that is set is added to the one that is there, and an empty one takes it away. */
	unit_property_add(arena, list, "/devices", "DevicePolicy", "s", &policy, 1);
	unit_property_add(arena, list, "/devices", "DeviceAllow", "a(ss)", &none, 1);
}
