/* SPDX-License-Identifier: GPL-2.0-or-later */
/* linux.resources: the limits that docker has options for, in the words of the runtime-spec. */
#include "engine/config_parts.h"

#include "base/num.h"
#include "base/size.h"
#include "engine/defaults.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define CPU_PERIOD_US 100000

/* ---- numbers ------------------------------------------------------------------------------------------------------ */

int build_read_size(const char *option, const char *text, int64_t *ret, struct err *err)
{
	if (size_parse(text, ret) == 0 && *ret > 0)
		return 0;
	err_user(err, "--%s \"%s\" is no size", option, text);
	return err_hint(err, "it is a number of bytes, or with a unit: 512m, 2g");
}

static int read_number(const char *option, const char *text, int64_t min, int64_t max, int64_t *ret,
		       struct err *err)
{
	if (num_parse_i64(text, min, max, ret) == 0)
		return 0;
	err_user(err, "--%s \"%s\" is no number that it can be", option, text);
	return max == INT64_MAX
		       ? err_hint(err, "it is %lld or more", (long long)min)
		       : err_hint(err, "it is %lld to %lld", (long long)min, (long long)max);
}

/* A member that is a whole number; nothing if the option was not given. */
static int write_number(struct build *b, const char *option, const char *text, const char *member,
			int64_t min, int64_t max, struct err *err)
{
	int64_t value;
	int r;

	if (!text)
		return 0;
	r = read_number(option, text, min, max, &value, err);
	if (r == 0)
		json_add_i64(b->w, member, value);
	return r;
}

/* ---- memory ------------------------------------------------------------------------------------------------------- */

/* Memory and swap together; -1: as much swap as there is */
static int write_swap(struct build *b, int64_t limit, struct err *err)
{
	const char *text = b->settings->memory_swap;
	int64_t bytes = -1;
	int r = 0;

	if (!text)
		return 0;
	if (strcmp(text, "-1") != 0)
		r = build_read_size("memory-swap", text, &bytes, err);
	if (r < 0)
		return r;
	if (!limit) {
		err_user(err, "--memory-swap counts memory and swap together");
		return err_hint(err, "give --memory as well");
	}
	if (bytes >= 0 && bytes < limit)
		return err_user(err, "--memory-swap %s is less than --memory %s, which it includes",
				text, b->settings->memory);
	json_add_i64(b->w, "swap", bytes);
	return 0;
}

static int write_reservation(struct build *b, int64_t limit, struct err *err)
{
	const char *text = b->settings->memory_reservation;
	int64_t bytes;

	if (!text)
		return 0;
	if (build_read_size("memory-reservation", text, &bytes, err) < 0)
		return err->code;
	if (limit && bytes > limit)
		return err_user(err, "--memory-reservation %s is more than --memory %s", text,
				b->settings->memory);
	json_add_i64(b->w, "reservation", bytes);
	return 0;
}

static int write_memory(struct build *b, struct err *err)
{
	const struct settings *s = b->settings;
	int64_t limit = 0;
	int r = s->memory ? build_read_size("memory", s->memory, &limit, err) : 0;

	if (r < 0)
		return r;
	if (!limit && !s->memory_swap && !s->memory_reservation && !s->memory_swappiness &&
	    !s->oom_kill_disable)
		return 0;
	json_object_begin(b->w, "memory");
	if (limit)
		json_add_i64(b->w, "limit", limit);
	r = write_swap(b, limit, err);
	if (r == 0)
		r = write_reservation(b, limit, err);
	if (r == 0)
		r = write_number(b, "memory-swappiness", s->memory_swappiness, "swappiness", 0, 100,
				 err);
	if (s->oom_kill_disable)
		json_add_bool(b->w, "disableOOMKiller", true);
	json_object_end(b->w);
	return r;
}

/* ---- processors --------------------------------------------------------------------------------------------------- */

/* --cpus 1.5: as many microseconds of each period */
static int write_cpus(struct build *b, struct err *err)
{
	const char *text = b->settings->cpus;
	uint64_t whole, quota, unit = CPU_PERIOD_US;
	size_t len = strspn(text, "0123456789");
	const char *digit;

	if (b->settings->cpu_period || b->settings->cpu_quota)
		return err_user(err, "--cpus says what --cpu-period and --cpu-quota say: give "
				     "either");
	if (len == 0 || len > 6 || num_u64(text, len, &whole) < 0 ||
	    (text[len] &&
	     (text[len] != '.' || text[len + 1 + strspn(text + len + 1, "0123456789")])))
		return err_user(err, "--cpus \"%s\" is no number of processors, like 1.5", text);
	quota = whole * CPU_PERIOD_US;
	for (digit = text + len + (text[len] == '.'); *digit && unit >= 10; digit++) {
		unit /= 10;
		quota += unit * (uint64_t)(*digit - '0');
	}
	if (quota < 1000)
		return err_user(err, "--cpus \"%s\" is less than the kernel's least, 0.01", text);
	json_add_u64(b->w, "quota", quota);
	json_add_u64(b->w, "period", CPU_PERIOD_US);
	return 0;
}

/* Each with the bounds that the kernel has for it */
static int write_cpu_numbers(struct build *b, struct err *err)
{
	const struct settings *s = b->settings;
	const struct {
		const char *option, *text, *member;
		int64_t min, max;
	} numbers[] = {
		{ "cpu-shares", s->cpu_shares, "shares", 2, 262144 },
		{ "cpu-period", s->cpu_period, "period", 1000, 1000000 },
		{ "cpu-quota", s->cpu_quota, "quota", -1, INT64_MAX },
		{ "cpu-rt-period", s->cpu_rt_period, "realtimePeriod", 1, INT64_MAX },
		{ "cpu-rt-runtime", s->cpu_rt_runtime, "realtimeRuntime", 0, INT64_MAX },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(numbers); i++)
		r = write_number(b, numbers[i].option, numbers[i].text, numbers[i].member,
				 numbers[i].min, numbers[i].max, err);
	return r;
}

/* "0-3,7": what it may be on this machine the kernel says. */
static int write_set(struct build *b, const char *option, const char *text, const char *member,
		     struct err *err)
{
	if (!text)
		return 0;
	if (!*text || text[strspn(text, "0123456789,-")]) {
		err_user(err, "--%s \"%s\" is no list of numbers", option, text);
		return err_hint(err, "it is numbers and ranges, as in 0-3,7");
	}
	json_add_string(b->w, member, text);
	return 0;
}

static int write_cpu(struct build *b, struct err *err)
{
	const struct settings *s = b->settings;
	int r = 0;

	if (!s->cpus && !s->cpu_shares && !s->cpu_period && !s->cpu_quota && !s->cpu_rt_period &&
	    !s->cpu_rt_runtime && !s->cpuset_cpus && !s->cpuset_mems)
		return 0;
	json_object_begin(b->w, "cpu");
	if (s->cpus)
		r = write_cpus(b, err);
	if (r == 0)
		r = write_cpu_numbers(b, err);
	if (r == 0)
		r = write_set(b, "cpuset-cpus", s->cpuset_cpus, "cpus", err);
	if (r == 0)
		r = write_set(b, "cpuset-mems", s->cpuset_mems, "mems", err);
	json_object_end(b->w);
	return r;
}

/* ---- block devices ------------------------------------------------------------------------------------------------ */

/* PATH:VALUE. @ret_value: borrowed */
static int read_block_device(const char *option, const char *text, struct arena *arena,
			     struct stat *ret, const char **ret_value, struct err *err)
{
	const char *colon = strrchr(text, ':'), *path;

	if (!colon || colon == text) {
		err_user(err, "--%s \"%s\" names no device", option, text);
		return err_hint(err, "it is PATH:VALUE, for example /dev/sda:1mb");
	}
	path = arena_strndup(arena, text, (size_t)(colon - text));
	if (stat(path, ret) < 0)
		return err_sys(err, "--%s: look at \"%s\"", option, path);
	if (!S_ISBLK(ret->st_mode))
		return err_user(err, "--%s: \"%s\" is no block device", option, path);
	*ret_value = colon + 1;
	return 0;
}

static int write_block_device(struct build *b, const char *option, const char *text, bool is_weight,
			      bool is_size, struct err *err)
{
	const char *text_of_value = "";
	struct stat st;
	int64_t value;
	int r = read_block_device(option, text, b->arena, &st, &text_of_value, err);

	if (r == 0 && is_size)
		r = build_read_size(option, text_of_value, &value, err);
	else if (r == 0)
		r = read_number(option, text_of_value, is_weight ? 10 : 1,
				is_weight ? 1000 : INT64_MAX, &value, err);
	if (r < 0)
		return r;
	json_object_begin(b->w, NULL);
	json_add_u64(b->w, "major", major(st.st_rdev));
	json_add_u64(b->w, "minor", minor(st.st_rdev));
	json_add_i64(b->w, is_weight ? "weight" : "rate", value);
	json_object_end(b->w);
	return 0;
}

static int write_block_io(struct build *b, struct err *err)
{
	const struct settings *s = b->settings;
	const struct {
		const char *option, *member;
		const struct str_list *given;
		bool is_weight, is_size;
	} lists[] = {
		{ "blkio-weight-device", "weightDevice", &s->blkio_weight_device, true, false },
		{ "device-read-bps", "throttleReadBpsDevice", &s->device_read_bps, false, true },
		{ "device-write-bps", "throttleWriteBpsDevice", &s->device_write_bps, false, true },
		{ "device-read-iops", "throttleReadIOPSDevice", &s->device_read_iops, false,
		  false },
		{ "device-write-iops", "throttleWriteIOPSDevice", &s->device_write_iops, false,
		  false },
	};
	size_t any = s->blkio_weight ? 1 : 0;
	int r;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		any += lists[i].given->n;
	if (!any)
		return 0;
	json_object_begin(b->w, "blockIO");
	r = write_number(b, "blkio-weight", s->blkio_weight, "weight", 10, 1000, err);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(lists); i++) {
		if (!lists[i].given->n)
			continue;
		json_array_begin(b->w, lists[i].member);
		for (size_t k = 0; r == 0 && k < lists[i].given->n; k++)
			r = write_block_device(b, lists[i].option, lists[i].given->items[k],
					       lists[i].is_weight, lists[i].is_size, err);
		json_array_end(b->w);
	}
	json_object_end(b->w);
	return r;
}

/* ---- processes ---------------------------------------------------------------------------------------------------- */

static int write_pids(struct build *b, struct err *err)
{
	const char *text = b->settings->pids_limit;
	int64_t limit = b->settings->strict ? STRICT_PIDS : DEFAULT_PIDS;

	if (text && num_parse_i64(text, -1, INT64_MAX, &limit) < 0)
		return err_user(err, "--pids-limit \"%s\" is no number; -1 is no limit", text);
	/* Without a cgroup of his own a user could not start anything if a limit that nobody asked for were an error. */
	if (!text && (b->settings->privileged || b->in->facts->rootless))
		return 0;
	json_object_begin(b->w, "pids");
	json_add_i64(b->w, "limit", limit ? limit : -1);
	json_object_end(b->w);
	return 0;
}

/* ---- devices ------------------------------------------------------------------------------------------------------ */

static void write_rule(struct json_writer *w, char type, int64_t major_number, int64_t minor_number,
		       const char *access)
{
	char word[2] = { type, '\0' };

	json_object_begin(w, NULL);
	json_add_bool(w, "allow", true);
	json_add_string(w, "type", word);
	if (major_number >= 0)
		json_add_i64(w, "major", major_number);
	if (minor_number >= 0)
		json_add_i64(w, "minor", minor_number);
	json_add_string(w, "access", access);
	json_object_end(w);
}

static int read_device_number(const char *text, size_t len, int64_t *ret)
{
	uint64_t number;

	*ret = -1;
	if (len == 1 && *text == '*')
		return 0;
	if (len == 0 || num_u64(text, len, &number) < 0 || number > UINT32_MAX)
		return -EINVAL;
	*ret = (int64_t)number;
	return 0;
}

/* --device-cgroup-rule "TYPE MAJOR:MINOR ACCESS", as of docker */
static int write_given_rule(struct build *b, const char *text, struct err *err)
{
	size_t n = strspn(text + (*text ? 1 : 0), " "), first, second;
	const char *numbers = text + (*text ? 1 : 0) + n, *access;
	int64_t major_number = -1, minor_number = -1;

	first = strcspn(numbers, ":");
	second = strcspn(numbers + first + (numbers[first] == ':'), " ");
	access = numbers + first + (numbers[first] == ':') + second;
	access += strspn(access, " ");
	if (!strchr("acb", *text) || !*text || n == 0 || numbers[first] != ':' ||
	    read_device_number(numbers, first, &major_number) < 0 ||
	    read_device_number(numbers + first + 1, second, &minor_number) < 0 ||
	    !build_is_access(access)) {
		err_user(err, "--device-cgroup-rule \"%s\" is no rule", text);
		return err_hint(err,
				"it is TYPE MAJOR:MINOR ACCESS, as in \"c 10:* rwm\"; types are "
				"a, b and c");
	}
	write_rule(b->w, *text, major_number, minor_number, access);
	return 0;
}

static int write_device_rules(struct build *b, const struct build_device *devices, size_t n,
			      struct err *err)
{
	const struct str_list *given = &b->settings->device_cgroup_rules;
	int r = 0;

	/* Only root of the host may filter devices. What was asked for by name is an error of the runtime's, or a note. */
	if (b->in->facts->rootless && !given->n)
		return 0;
	json_array_begin(b->w, "devices");
	json_object_begin(b->w, NULL);
	json_add_bool(b->w, "allow", b->settings->privileged);
	json_add_string(b->w, "access", "rwm");
	json_object_end(b->w);
	for (size_t i = 0; !b->settings->privileged && i < n; i++)
		write_rule(b->w, devices[i].type, devices[i].major, devices[i].minor,
			   devices[i].access);
	for (size_t i = 0; r == 0 && i < given->n; i++)
		r = write_given_rule(b, given->items[i], err);
	json_array_end(b->w);
	return r;
}

/* ---- together ----------------------------------------------------------------------------------------------------- */

int build_resources(struct build *b, const struct build_device *devices, size_t n, struct err *err)
{
	int r;

	json_object_begin(b->w, "resources");
	r = write_device_rules(b, devices, n, err);
	if (r == 0)
		r = write_memory(b, err);
	if (r == 0)
		r = write_cpu(b, err);
	if (r == 0)
		r = write_block_io(b, err);
	if (r == 0)
		r = write_pids(b, err);
	json_object_end(b->w);
	return r;
}

/* A path ending in .slice is a unit of systemd's, which has a form of its own. */
int build_cgroup(struct build *b, struct err *err)
{
	const char *parent = b->settings->cgroup_parent;
	size_t len = parent ? strlen(parent) : 0;

	if (!parent)
		return 0;
	if (!len)
		return err_user(err, "--cgroup-parent is empty");
	json_add_string(b->w, "cgroupsPath",
			len > 6 && strcmp(parent + len - 6, ".slice") == 0
				? arena_printf(b->arena, "%s:tare:%s", parent, b->in->id)
				: arena_printf(b->arena, "%s/%s", parent, b->in->id));
	return 0;
}
