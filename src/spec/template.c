/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spec/template.h"

#include "spec/config.h"

#include <string.h>

/* Lists end with NULL. */
#define MAX_OPTIONS 8

struct mount {
	const char *destination, *type, *source;
	const char *options[MAX_OPTIONS];
};

static const struct mount mounts[] = {
	{ "/proc", "proc", "proc", { NULL } },
	{ "/dev", "tmpfs", "tmpfs", { "nosuid", "strictatime", "mode=755", "size=65536k" } },
	{ "/dev/pts",
	  "devpts",
	  "devpts",
	  { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" } },
	{ "/dev/shm", "tmpfs", "shm", { "nosuid", "noexec", "nodev", "mode=1777", "size=65536k" } },
	{ "/dev/mqueue", "mqueue", "mqueue", { "nosuid", "noexec", "nodev" } },
	{ "/sys", "sysfs", "sysfs", { "nosuid", "noexec", "nodev", "ro" } },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", { "nosuid", "noexec", "nodev", "relatime", "ro" } },
};

static const struct mount rootless_pts = { "/dev/pts",
					   "devpts",
					   "devpts",
					   { "nosuid", "noexec", "newinstance", "ptmxmode=0666",
					     "mode=0620" } };
static const struct mount rootless_sys = {
	"/sys", "none", "/sys", { "rbind", "nosuid", "noexec", "nodev", "rro" }
};

static const char *const args[] = { "sh", NULL };
static const char *const env[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", NULL
};
static const char *const capabilities[] = { "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE",
					    NULL };

static const enum ns_type namespaces[] = {
	NS_PID, NS_NETWORK, NS_IPC, NS_UTS, NS_MOUNT, NS_CGROUP
};
static const enum ns_type rootless_namespaces[] = { NS_PID,   NS_IPC,    NS_UTS,
						    NS_MOUNT, NS_CGROUP, NS_USER };

/* What differs for a user. NULL: for root. */
struct user {
	uint32_t uid, gid;
};

const char *const template_masked_paths[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/interrupts",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/sched_debug",
	"/proc/scsi",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/sys/devices/virtual/powercap",
	"/sys/firmware",
	NULL,
};

const char *const template_readonly_paths[] = { "/proc/bus",           "/proc/fs",
						"/proc/irq",           "/proc/sys",
						"/proc/sysrq-trigger", NULL };

static void add_list(struct json_writer *w, const char *key, const char *const *items)
{
	json_array_begin(w, key);
	for (; *items; items++)
		json_add_string(w, NULL, *items);
	json_array_end(w);
}

static void add_process(struct json_writer *w)
{
	json_object_begin(w, "process");
	json_add_bool(w, "terminal", true);
	json_object_begin(w, "user");
	json_add_u64(w, "uid", 0);
	json_add_u64(w, "gid", 0);
	json_object_end(w);
	add_list(w, "args", args);
	add_list(w, "env", env);
	json_add_string(w, "cwd", "/");
	json_object_begin(w, "capabilities");
	add_list(w, "bounding", capabilities);
	add_list(w, "effective", capabilities);
	add_list(w, "permitted", capabilities);
	json_object_end(w);
	json_array_begin(w, "rlimits");
	json_object_begin(w, NULL);
	json_add_string(w, "type", "RLIMIT_NOFILE");
	json_add_u64(w, "hard", 1024);
	json_add_u64(w, "soft", 1024);
	json_object_end(w);
	json_array_end(w);
	json_add_bool(w, "noNewPrivileges", true);
	json_object_end(w);
}

static const struct mount *mount_for(const struct user *user, const struct mount *mount)
{
	if (user && strcmp(mount->type, "devpts") == 0)
		return &rootless_pts;
	return user && strcmp(mount->type, "sysfs") == 0 ? &rootless_sys : mount;
}

static void add_mounts(struct json_writer *w, const struct user *user)
{
	json_array_begin(w, "mounts");
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		const struct mount *mount = mount_for(user, &mounts[i]);

		json_object_begin(w, NULL);
		json_add_string(w, "destination", mount->destination);
		json_add_string(w, "type", mount->type);
		json_add_string(w, "source", mount->source);
		if (mount->options[0])
			add_list(w, "options", mount->options);
		json_object_end(w);
	}
	json_array_end(w);
}

static void add_mapping(struct json_writer *w, const char *key, uint32_t id)
{
	json_array_begin(w, key);
	json_object_begin(w, NULL);
	json_add_u64(w, "containerID", 0);
	json_add_u64(w, "hostID", id);
	json_add_u64(w, "size", 1);
	json_object_end(w);
	json_array_end(w);
}

/* No device but the default ones. */
static void add_resources(struct json_writer *w)
{
	json_object_begin(w, "resources");
	json_array_begin(w, "devices");
	json_object_begin(w, NULL);
	json_add_bool(w, "allow", false);
	json_add_string(w, "access", "rwm");
	json_object_end(w);
	json_array_end(w);
	json_object_end(w);
}

static void add_namespaces(struct json_writer *w, const enum ns_type *types, size_t n)
{
	json_array_begin(w, "namespaces");
	for (size_t i = 0; i < n; i++) {
		json_object_begin(w, NULL);
		json_add_string(w, "type", ns_names[types[i]]);
		json_object_end(w);
	}
	json_array_end(w);
}

static void add_linux(struct json_writer *w, const struct user *user)
{
	json_object_begin(w, "linux");
	if (user) {
		add_mapping(w, "uidMappings", user->uid);
		add_mapping(w, "gidMappings", user->gid);
		add_namespaces(w, rootless_namespaces, ARRAY_LEN(rootless_namespaces));
	} else {
		add_resources(w);
		add_namespaces(w, namespaces, ARRAY_LEN(namespaces));
	}
	add_list(w, "maskedPaths", template_masked_paths);
	add_list(w, "readonlyPaths", template_readonly_paths);
	json_object_end(w);
}

static void write_for(struct json_writer *w, const struct user *user)
{
	json_object_begin(w, NULL);
	json_add_string(w, "ociVersion", SPEC_VERSION);
	add_process(w);
	json_object_begin(w, "root");
	json_add_string(w, "path", "rootfs");
	json_add_bool(w, "readonly", true);
	json_object_end(w);
	json_add_string(w, "hostname", "tare");
	add_mounts(w, user);
	add_linux(w, user);
	json_object_end(w);
}

void template_write(struct json_writer *w)
{
	write_for(w, NULL);
}

void template_write_rootless(struct json_writer *w, uint32_t uid, uint32_t gid)
{
	write_for(w, &(struct user){ .uid = uid, .gid = gid });
}
