/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spec/template.h"

#include "spec/config.h"

/* Lists end with NULL. */
#define MAX_OPTIONS 8

static const struct {
	const char *destination, *type, *source;
	const char *options[MAX_OPTIONS];
} mounts[] = {
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

static const char *const args[] = { "sh", NULL };
static const char *const env[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", NULL
};
static const char *const capabilities[] = { "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE",
					    NULL };

static const enum ns_type namespaces[] = {
	NS_PID, NS_NETWORK, NS_IPC, NS_UTS, NS_MOUNT, NS_CGROUP
};

static const char *const masked[] = {
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

static const char *const read_only[] = { "/proc/bus",           "/proc/fs",
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

static void add_mounts(struct json_writer *w)
{
	json_array_begin(w, "mounts");
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		json_object_begin(w, NULL);
		json_add_string(w, "destination", mounts[i].destination);
		json_add_string(w, "type", mounts[i].type);
		json_add_string(w, "source", mounts[i].source);
		if (mounts[i].options[0])
			add_list(w, "options", mounts[i].options);
		json_object_end(w);
	}
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

static void add_namespaces(struct json_writer *w)
{
	json_array_begin(w, "namespaces");
	for (size_t i = 0; i < ARRAY_LEN(namespaces); i++) {
		json_object_begin(w, NULL);
		json_add_string(w, "type", ns_names[namespaces[i]]);
		json_object_end(w);
	}
	json_array_end(w);
}

void template_write(struct json_writer *w)
{
	json_object_begin(w, NULL);
	json_add_string(w, "ociVersion", SPEC_VERSION);
	add_process(w);
	json_object_begin(w, "root");
	json_add_string(w, "path", "rootfs");
	json_add_bool(w, "readonly", true);
	json_object_end(w);
	json_add_string(w, "hostname", "tare");
	add_mounts(w);
	json_object_begin(w, "linux");
	add_resources(w);
	add_namespaces(w);
	add_list(w, "maskedPaths", masked);
	add_list(w, "readonlyPaths", read_only);
	json_object_end(w);
	json_object_end(w);
}
