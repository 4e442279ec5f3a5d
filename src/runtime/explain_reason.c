/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why this very step, where more can be said than why steps of its kind are there (explain_words.c): which file is hidden,
 * which limit is set, which filesystem is mounted. Tables of words by kind; the first row that fits is taken.
 */
#include "runtime/explain_parts.h"

#include <string.h>

struct reason {
	const char *word, *why;
};

static const struct reason filesystems[] = {
	{ "proc", "the processes of its pid namespace, and what every program reads of itself in "
		  "/proc/self" },
	{ "devpts", "terminals of its own; those of the host are another instance" },
	{ "mqueue", "the message queues of its ipc namespace" },
	{ "sysfs", "what the kernel tells about devices; much of it is the host's" },
	{ "cgroup", "its own limits and use, to look at" },
	{ "cgroup2", "its own limits and use, to look at" },
	{ "overlay", "layers that look like one directory; changes go to the uppermost" },
};

static const struct reason tmpfs_targets[] = {
	{ "/dev", "a /dev of its own: the host's has every disk in it" },
	{ "/dev/shm", "memory that programs share by name lives here" },
	{ "/sys/fs/cgroup", "a place for one mount of each cgroup hierarchy" },
	{ "", "files in memory: fast, limited, and gone with the container" },
};

static const struct reason cgroup_files[] = {
	{ "memory.limit_in_bytes",
	  "as much memory as it may have; beyond that the kernel ends one of its processes" },
	{ "memory.max",
	  "as much memory as it may have; beyond that the kernel ends one of its processes" },
	{ "memory.memsw.limit_in_bytes", "memory and swap together" },
	{ "memory.swap.max", "as much swap as it may have" },
	{ "memory.soft_limit_in_bytes", "what it keeps when memory is short everywhere" },
	{ "memory.low", "what it keeps when memory is short everywhere" },
	{ "cpu.shares", "its part of the processors while others want them too" },
	{ "cpu.weight", "its part of the processors while others want them too" },
	{ "cpu.cfs_period_us", "how often its processor time is filled up again" },
	{ "cpu.cfs_quota_us",
	  "so much processor time in each period; who has used it up waits for the next" },
	{ "cpu.max",
	  "so much processor time in each period; who has used it up waits for the next" },
	{ "cpuset.cpus", "the processors that it may run on" },
	{ "cpuset.mems", "the memory nodes that it may use" },
	{ "pids.max", "so many processes and threads: a fork bomb stays in its box" },
	{ "devices.deny", "no device at all, to begin with" },
	{ "devices.allow", "these devices may be used" },
};

static const struct reason masked_paths[] = {
	{ "/proc/kcore", "the memory of the whole machine, as a file" },
	{ "/proc/keys", "the kernel's keys, of everybody" },
	{ "/proc/timer_list", "what the host's processes wait for, with addresses of the kernel" },
	{ "/proc/timer_stats", "which programs of the host set timers" },
	{ "/proc/sched_debug", "every process of the host by name" },
	{ "/proc/latency_stats", "where the host's processes wait in the kernel" },
	{ "/proc/interrupts", "when the host's devices interrupt: enough to tell what is typed" },
	{ "/proc/scsi", "a line written here removes a disk of the host" },
	{ "/proc/acpi", "switches of the host's hardware" },
	{ "/proc/asound", "the host's sound devices" },
	{ "/sys/firmware", "tables and variables of the host's firmware" },
	{ "/sys/devices/virtual/powercap",
	  "the processor's use of power, fine enough to read secrets from" },
};

static const struct reason readonly_paths[] = {
	{ "/proc/sys", "the kernel's settings: most of them are the whole machine's" },
	{ "/proc/sysrq-trigger", "one letter written here restarts the machine" },
	{ "/proc/irq", "which processor serves which of the host's devices" },
	{ "/proc/bus", "the configuration of the host's devices" },
	{ "/proc/fs", "settings of the host's filesystems" },
};

static const struct reason rlimits[] = {
	{ "RLIMIT_NOFILE", "so many open files for each process" },
	{ "RLIMIT_NPROC", "so many processes for its user" },
	{ "RLIMIT_CORE", "how large the image of a crashed program may be" },
	{ "RLIMIT_STACK", "how far a stack may grow" },
	{ "RLIMIT_MEMLOCK", "how much memory may be kept from being swapped" },
};

static const char *find(const struct reason *reasons, size_t n, const char *word)
{
	for (size_t i = 0; word && i < n; i++) {
		if (!*reasons[i].word || strcmp(reasons[i].word, word) == 0)
			return reasons[i].why;
	}
	return NULL;
}

#define FIND(table, word) find(table, ARRAY_LEN(table), word)

static const char *mount_reason(const struct step *step)
{
	if (step->u.mount.remount)
		return "a mount that is there already, changed";
	if (step->u.mount.fstype && strcmp(step->u.mount.fstype, "tmpfs") == 0)
		return FIND(tmpfs_targets, step->u.mount.target);
	return FIND(filesystems, step->u.mount.fstype);
}

static const char *sync_reason(const struct step *step)
{
	bool send = step->kind == STEP_SYNC_SEND;

	switch (send ? step->u.sync_send.token : step->u.sync_wait.token) {
	case SYNC_MAPPED:
		return send ? "its ids are mapped and its limits are set: it may go on"
			    : "the parent maps our ids and sets our limits, which we could not";
	case SYNC_RUNTIME_HOOKS:
		return send ? "all is mounted: now the caller's hooks may look"
			    : "hooks want a container whose mounts are there";
	case SYNC_HOOKS_DONE:
		return send ? "the hooks are done" : "hooks may still change what we would use";
	case SYNC_CREATED:
		return send ? "everything stands but the program: the container is created"
			    : "the container builds itself; a failure would be told here";
	case SYNC_RELEASED:
		return send ? "the record is written: the container may live without us"
			    : "a container that no record knows must not live on";
	case SYNC_CONSOLE:
	case SYNC_LISTENER:
		break;
	}
	return NULL;
}

const char *step_reason(const struct step *step)
{
	const char *why = NULL;

	switch (step->kind) {
	case STEP_MOUNT:
		why = mount_reason(step);
		break;
	case STEP_CGROUP_WRITE:
		why = FIND(cgroup_files, step->u.cgroup_write.write.file);
		break;
	case STEP_MASK:
		why = FIND(masked_paths, step->u.mask.path);
		break;
	case STEP_READONLY:
		why = FIND(readonly_paths, step->u.readonly.path);
		break;
	case STEP_RLIMIT:
		why = FIND(rlimits, step->u.rlimit.type);
		break;
	case STEP_SYNC_SEND:
	case STEP_SYNC_WAIT:
		why = sync_reason(step);
		break;
	case STEP_CWD:
		if (step->u.cwd.again)
			why = "once more, now with the rights of the user who will work there";
		break;
	default:
		break;
	}
	return why ? why : step_why[step->kind];
}
