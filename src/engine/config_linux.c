/* SPDX-License-Identifier: GPL-2.0-or-later */
/* linux: namespaces, id maps, cgroup limits, devices, sysctls, hidden paths. */
#include "engine/config_parts.h"

#include "base/num.h"
#include "base/size.h"
#include "engine/defaults.h"
#include "spec/template.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define CPU_PERIOD_US 100000

/* ---- resources ---------------------------------------------------------------------------------------------------- */

static int write_memory(struct build *b, struct err *err)
{
	const char *text = b->settings->memory;
	int64_t bytes;

	if (!text)
		return 0;
	if (size_parse(text, &bytes) < 0 || bytes <= 0) {
		err_user(err, "--memory \"%s\" is no size", text);
		return err_hint(err, "it is a number of bytes, or with a unit: 512m, 2g");
	}
	json_object_begin(b->w, "memory");
	json_add_i64(b->w, "limit", bytes);
	json_object_end(b->w);
	return 0;
}

/* --cpus 1.5: as many microseconds of each period */
static int write_cpu(struct build *b, struct err *err)
{
	const char *text = b->settings->cpus;
	uint64_t whole, quota, unit = CPU_PERIOD_US;
	size_t len;
	const char *digit;

	if (!text)
		return 0;
	len = strspn(text, "0123456789");
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
	json_object_begin(b->w, "cpu");
	json_add_u64(b->w, "quota", quota);
	json_add_u64(b->w, "period", CPU_PERIOD_US);
	json_object_end(b->w);
	return 0;
}

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

static void write_device_rule(struct json_writer *w, const struct build_device *device)
{
	char type[2] = { device->type, '\0' };

	json_object_begin(w, NULL);
	json_add_bool(w, "allow", true);
	json_add_string(w, "type", type);
	json_add_i64(w, "major", device->major);
	json_add_i64(w, "minor", device->minor);
	json_add_string(w, "access", device->access);
	json_object_end(w);
}

static void write_device_rules(struct build *b, const struct build_device *devices, size_t n)
{
	json_array_begin(b->w, "devices");
	json_object_begin(b->w, NULL);
	json_add_bool(b->w, "allow", b->settings->privileged);
	json_add_string(b->w, "access", "rwm");
	json_object_end(b->w);
	for (size_t i = 0; !b->settings->privileged && i < n; i++)
		write_device_rule(b->w, &devices[i]);
	json_array_end(b->w);
}

static int write_resources(struct build *b, const struct build_device *devices, size_t n,
			   struct err *err)
{
	int r;

	json_object_begin(b->w, "resources");
	write_device_rules(b, devices, n);
	r = write_memory(b, err);
	if (r == 0)
		r = write_cpu(b, err);
	if (r == 0)
		r = write_pids(b, err);
	json_object_end(b->w);
	return r;
}

/* ---- devices ------------------------------------------------------------------------------------------------------ */

static bool is_access(const char *text)
{
	return *text && strlen(text) <= 3 && strspn(text, "rwm") == strlen(text);
}

/* --device SOURCE[:DESTINATION][:ACCESS] */
static int read_device(struct build *b, const char *text, struct build_device *ret, struct err *err)
{
	size_t len = strcspn(text, ":");
	const char *source = arena_strndup(b->arena, text, len), *rest = text + len;
	struct stat st;

	*ret = (struct build_device){ .path = source, .access = "rwm" };
	if (*rest == ':' && rest[1] == '/') {
		len = strcspn(rest + 1, ":");
		ret->path = arena_strndup(b->arena, rest + 1, len);
		rest += 1 + len;
	}
	if (*rest == ':') {
		ret->access = rest + 1;
		if (!is_access(ret->access))
			return err_user(err, "--device \"%s\": \"%s\" is no access: letters of rwm",
					text, ret->access);
	}
	if (stat(source, &st) < 0)
		return err_sys(err, "--device \"%s\": look at \"%s\"", text, source);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_user(err, "--device \"%s\": \"%s\" is no device", text, source);
	ret->type = S_ISCHR(st.st_mode) ? 'c' : 'b';
	ret->major = major(st.st_rdev);
	ret->minor = minor(st.st_rdev);
	ret->mode = st.st_mode & 07777;
	ret->uid = st.st_uid;
	ret->gid = st.st_gid;
	return 0;
}

static int read_devices(struct build *b, struct build_device **ret, size_t *ret_n, struct err *err)
{
	const struct str_list *given = &b->settings->devices;
	struct build_device *devices = arena_array(b->arena, given->n + 1, sizeof(*devices));
	int r = 0;

	for (size_t i = 0; r == 0 && i < given->n; i++)
		r = read_device(b, given->items[i], &devices[i], err);
	*ret = devices;
	*ret_n = given->n;
	return r;
}

static void write_devices(struct build *b, const struct build_device *devices, size_t n)
{
	struct json_writer *w = b->w;

	if (n == 0)
		return;
	json_array_begin(w, "devices");
	for (size_t i = 0; i < n; i++) {
		char type[2] = { devices[i].type, '\0' };

		json_object_begin(w, NULL);
		json_add_string(w, "path", devices[i].path);
		json_add_string(w, "type", type);
		json_add_i64(w, "major", devices[i].major);
		json_add_i64(w, "minor", devices[i].minor);
		json_add_u64(w, "fileMode", devices[i].mode);
		json_add_u64(w, "uid", devices[i].uid);
		json_add_u64(w, "gid", devices[i].gid);
		json_object_end(w);
	}
	json_array_end(w);
}

/* ---- namespaces, sysctls ------------------------------------------------------------------------------------------ */

static void write_namespaces(struct build *b)
{
	static const char *const types[] = { "pid", "network", "ipc", "uts", "mount", "cgroup" };

	json_array_begin(b->w, "namespaces");
	for (size_t i = 0; i < ARRAY_LEN(types) + (b->in->map.size > 0); i++) {
		json_object_begin(b->w, NULL);
		json_add_string(b->w, "type", i < ARRAY_LEN(types) ? types[i] : "user");
		json_object_end(b->w);
	}
	json_array_end(b->w);
}

static void write_map(struct build *b, const char *key)
{
	json_array_begin(b->w, key);
	json_object_begin(b->w, NULL);
	json_add_u64(b->w, "containerID", b->in->map.container_id);
	json_add_u64(b->w, "hostID", b->in->map.host_id);
	json_add_u64(b->w, "size", b->in->map.size);
	json_object_end(b->w);
	json_array_end(b->w);
}

/* --sysctl NAME=VALUE goes before the two that every container has in its own network namespace. */
static int write_sysctls(struct build *b, struct err *err)
{
	const struct str_list *given = &b->settings->sysctls;
	/* Only groups that the namespace has can be in the range. */
	const char *groups = b->in->map.size ? arena_printf(b->arena, "0 %u", b->in->map.size - 1)
					     : "0 2147483647";
	bool ping = false, ports = false;

	json_object_begin(b->w, "sysctl");
	for (size_t i = 0; i < given->n; i++) {
		const char *equals = strchr(given->items[i], '=');
		const char *name;

		if (!equals)
			return err_user(err, "--sysctl \"%s\": it is NAME=VALUE", given->items[i]);
		name = arena_strndup(b->arena, given->items[i], (size_t)(equals - given->items[i]));
		ping |= strcmp(name, "net.ipv4.ping_group_range") == 0;
		ports |= strcmp(name, "net.ipv4.ip_unprivileged_port_start") == 0;
		json_add_string(b->w, name, equals + 1);
	}
	if (!ping)
		json_add_string(b->w, "net.ipv4.ping_group_range", groups);
	if (!ports)
		json_add_string(b->w, "net.ipv4.ip_unprivileged_port_start", "0");
	json_object_end(b->w);
	return 0;
}

/* ---- together ----------------------------------------------------------------------------------------------------- */

int build_linux(struct build *b, struct err *err)
{
	struct build_device *devices;
	size_t n;
	int r = read_devices(b, &devices, &n, err);

	if (r < 0)
		return r;
	json_object_begin(b->w, "linux");
	if (b->in->map.size) {
		write_map(b, "uidMappings");
		write_map(b, "gidMappings");
	}
	write_namespaces(b);
	r = write_resources(b, devices, n, err);
	write_devices(b, devices, n);
	if (r == 0)
		r = write_sysctls(b, err);
	if (!b->no_masks) {
		build_list(b->w, "maskedPaths", template_masked_paths);
		build_list(b->w, "readonlyPaths", template_readonly_paths);
	}
	if (r == 0)
		r = build_seccomp(b, err);
	json_object_end(b->w);
	return r;
}
