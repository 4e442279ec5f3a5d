/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the planners need to know of the host, read once by facts_read(), printable as JSON and loadable from a file
 * (`explain --facts FILE`), so that a plan for another host can be made and tested without being there.
 */
#ifndef TARE_RUNTIME_FACTS_H
#define TARE_RUNTIME_FACTS_H

#include "base/arena.h"
#include "base/err.h"
#include "cgroup/layout.h"
#include "runtime/subids.h"

#include <stdbool.h>
#include <stdint.h>

struct config;
struct config_process;

struct facts {
	uint32_t euid, egid;
	bool rootless; /* euid is not 0, or root of a user namespace that is not the initial one */
	/* What /etc/subuid and /etc/subgid give to a user without capabilities; nobody else needs them. */
	struct subid_list subuids, subgids;
	uint64_t capabilities;   /* our permitted set */
	uint64_t kernel_version; /* major << 16 | minor << 8 */
	int last_cap;            /* /proc/sys/kernel/cap_last_cap */
	/* CLONE_NEW* flags that the kernel knows; all bits set if it was not asked */
	uint64_t namespaces;
	struct cgroup_layout cgroup;
	bool apparmor, selinux; /* enabled on this host */
	const char *resctrl;    /* where it is mounted; NULL: nowhere, or it was not asked for */
	bool seccomp;
	bool systemd; /* it manages this host, so units can be had */
};

/* The name of each kind of namespace (enum ns_type) below /proc/PID/ns */
extern const char *const ns_files[];

/*
 * facts_read() - look at the host
 * @arena: owns the strings of *ret_facts
 * @root:  prefix for /proc and /sys ("" for the real ones), so that tests can give a fake tree. What the kernel tells by
 *         a call and not by a file (ids, capabilities, version) is always the real one's
 *
 * Return: 0; -errno when /proc can't be read
 */
int facts_read(struct arena *arena, const char *root, struct facts *ret_facts,
	       struct err *err) MUST_CHECK;

/* What only some configs need; the rest is always read. */
enum facts_parts {
	FACTS_VERSION = 1,    /* kernel_version */
	FACTS_NAMESPACES = 2, /* namespaces */
	FACTS_SECURITY = 4,   /* apparmor, selinux, seccomp */
	FACTS_CGROUPS = 8,    /* cgroup; on a host with many mounts it costs the most */
	FACTS_SYSTEMD = 16,   /* systemd */
	FACTS_RDT = 32,       /* resctrl */
	FACTS_ALL = 63,
};

/* facts_needed() - the parts that planning a start of @config looks at */
unsigned facts_needed(const struct config *config);

/* facts_needed_by_process() - the same for a further process in a container */
unsigned facts_needed_by_process(const struct config_process *process);

/* facts_read_parts() - facts_read(), and of what enum facts_parts names only @parts */
int facts_read_parts(struct arena *arena, const char *root, unsigned parts, struct facts *ret_facts,
		     struct err *err) MUST_CHECK;

/* facts_read_namespaces() - the CLONE_NEW* flags of the namespaces that the kernel has. Return: 0; -errno */
int facts_read_namespaces(const char *root, uint64_t *ret_flags, struct err *err) MUST_CHECK;

/*
 * facts_as_root() - the same host for its root: `explain` shows what root's start would do, whoever asks
 */
void facts_as_root(struct facts *facts);

/*
 * facts_load() - facts from their JSON form, for `explain --facts FILE`
 * @text: @len bytes, borrowed
 *
 * Every member has to be there and none may be unknown: a fact that is silently missing would make another plan.
 * Return: 0; -EINVAL
 */
int facts_load(struct arena *arena, const char *text, size_t len, struct facts *ret_facts,
	       struct err *err) MUST_CHECK;

/* facts_print() - their JSON form, ending in a newline, in the arena */
char *facts_print(struct arena *arena, const struct facts *facts);

#endif
