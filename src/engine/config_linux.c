/* SPDX-License-Identifier: GPL-2.0-or-later */
/* linux: namespaces, id maps, devices, sysctls, hidden paths. */
#include "engine/config_parts.h"

#include "engine/defaults.h"
#include "os/dir.h"
#include "os/walk.h"
#include "spec/template.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* ---- devices ------------------------------------------------------------------------------------------------------ */

bool build_is_access(const char *text)
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
		if (!build_is_access(ret->access))
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

/* ---- devices of the host's, for --privileged ---------------------------------------------------------------------- */

/* Bounds what a /dev can have; a machine of a thousand disks has less. */
#define HOST_DEVICES_MAX 8192

struct host_devices {
	struct build *b;
	struct build_device *items;
	size_t n;
};

/* What the container has of its own, there or as a mount. */
static bool is_own_device(const char *path)
{
	static const char *const names[] = { "console", "full", "mqueue", "null",    "ptmx", "pts",
					     "random",  "shm",  "tty",    "urandom", "zero" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(path, names[i]) == 0)
			return true;
	}
	return false;
}

static void add_host_device(struct host_devices *all, const struct walk_node *node)
{
	all->items = arena_grow(all->b->arena, all->items, all->n, sizeof(*all->items));
	all->items[all->n++] = (struct build_device){
		.path = arena_printf(all->b->arena, "/dev/%s", node->path),
		.access = "rwm",
		.type = S_ISCHR(node->st.st_mode) ? 'c' : 'b',
		.major = major(node->st.st_rdev),
		.minor = minor(node->st.st_rdev),
		.mode = node->st.st_mode & 07777,
		.uid = node->st.st_uid,
		.gid = node->st.st_gid,
	};
}

static int look_at_host_device(void *arg, const struct walk_node *node)
{
	struct host_devices *all = arg;

	if (is_own_device(node->path))
		return 1;
	if (!S_ISCHR(node->st.st_mode) && !S_ISBLK(node->st.st_mode))
		return 0;
	if (all->n == HOST_DEVICES_MAX)
		return -E2BIG;
	add_host_device(all, node);
	return 0;
}

static int add_host_devices(struct host_devices *all, struct err *err)
{
	defer_close int dev = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = dev < 0 ? -errno : os_walk(dev, look_at_host_device, all);

	return r < 0 ? err_set(err, r, "--privileged: list the devices of the host") : 0;
}

/* A user without root can't make devices; what the runtime gives him are the usual ones of the host's. */
static bool has_host_devices(const struct build *b)
{
	return b->settings->privileged && !b->in->facts->rootless;
}

static int read_devices(struct build *b, struct build_device **ret, size_t *ret_n, struct err *err)
{
	const struct str_list *given = &b->settings->devices;
	struct host_devices all = { .b = b };
	struct build_device *devices;
	int r = has_host_devices(b) ? add_host_devices(&all, err) : 0;

	if (r < 0)
		return r;
	devices = arena_array(b->arena, all.n + given->n + 1, sizeof(*devices));
	if (all.n)
		memcpy(devices, all.items, all.n * sizeof(*devices));
	for (size_t i = 0; r == 0 && i < given->n; i++)
		r = read_device(b, given->items[i], &devices[all.n + i], err);
	*ret = devices;
	*ret_n = all.n + given->n;
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

uint32_t build_last_group(const struct build *b)
{
	unsigned first, outer, count, last = 0;
	char text[4096], *line, *rest = text;
	ssize_t n;

	if (b->in->map.size)
		return b->in->map.size - 1;
	n = os_read_at(AT_FDCWD, "/proc/self/gid_map", text, sizeof(text));
	while (n > 0 && (line = strsep(&rest, "\n")) && *line) {
		if (sscanf(line, "%u %u %u", &first, &outer, &count) == 3 && first <= last + 1)
			last = count > INT32_MAX - first ? INT32_MAX : first + count - 1;
	}
	return n > 0 && last < INT32_MAX ? last : INT32_MAX;
}

/* --sysctl NAME=VALUE goes before the two that every container has in its own network namespace. */
static int write_sysctls(struct build *b, struct err *err)
{
	const struct str_list *given = &b->settings->sysctls;
	/* Only groups that the namespace has can be in the range. */
	const char *groups = arena_printf(b->arena, "0 %u", build_last_group(b));
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
	r = build_cgroup(b, err);
	if (r == 0)
		r = build_resources(b, devices, n, err);
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
