/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which cgroup hierarchies a host has, where they are mounted, and where in them the runtime itself stands.
 *
 * v1: one hierarchy for each controller (or a few together); hybrid: the same and a cgroup2 mount beside them, usually
 * on /sys/fs/cgroup/unified, that owns the controllers which no v1 hierarchy has; v2: one cgroup2 mount on
 * /sys/fs/cgroup for everything. Which one it is follows from what is mounted, not from a kernel version.
 */
#ifndef TARE_CGROUP_LAYOUT_H
#define TARE_CGROUP_LAYOUT_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Hosts with thousands of containers have mountinfo files of megabytes. */
#define CGROUP_MOUNTINFO_MAX ((size_t)64 * 1024 * 1024)

/* mountinfo_unescape() - give a path in /proc/PID/mountinfo its blanks, newlines and backslashes back, in place */
void mountinfo_unescape(char *path);

enum cgroup_mode { CGROUP_NONE, CGROUP_V1, CGROUP_HYBRID, CGROUP_V2 };

extern const char *const cgroup_mode_names[]; /* "none", "v1", "hybrid", "v2" */

struct cgroup_hierarchy {
	bool v2;
	const char *mount; /* where it is mounted: "/sys/fs/cgroup/memory" */
	/* what of the hierarchy is mounted there, as mountinfo's root field: "/" */
	const char *root;
	/* v1: "cpu,cpuacct" or "name=systemd", as in mount options; v2: cgroup.controllers, space-separated */
	const char *controllers;
	/* the runtime's own cgroup in it, from /proc/self/cgroup, relative to root: "/" */
	const char *own_path;
	const char *base; /* below which relative paths begin, relative to the mount; "" for root */
	bool closed; /* the runtime may make no cgroup in it, so it is as if it were not there */
};

struct cgroup_layout {
	enum cgroup_mode mode;
	struct cgroup_hierarchy *items; /* v1 ones in mount order, the v2 one last */
	size_t n;
	bool narrow; /* for a runtime that is not root of the host: see cgroup_layout_narrow() */
};

/* The cgroup of one container in one hierarchy. */
struct cgroup_dir {
	const char *path;  /* absolute */
	const char *mount; /* what of it is the hierarchy's mount */
	/* how many names of the path, below the mount, were there before the container */
	uint32_t existing;
	bool v2;
	/* v1: as in struct cgroup_hierarchy; v2: ""; NULL: an old record has none */
	const char *controllers;
	const char *sub; /* where in it the processes are, "container"; NULL: in itself */
};

/*
 * cgroup_layout_read() - find the hierarchies from <root>/proc/self/mountinfo and <root>/proc/self/cgroup
 * @root: "" for the real files; every mount path in the result is the plain path, without @root
 * Return: 0, also when there are none (CGROUP_NONE); otherwise -errno
 */
int cgroup_layout_read(struct arena *arena, const char *root, struct cgroup_layout *ret_layout,
		       struct err *err) MUST_CHECK;

/*
 * cgroup_layout_read_of() - the same from where another process stands: own_path is its own
 * @process: its name in /proc: a pid, or "self"
 */
int cgroup_layout_read_of(struct arena *arena, const char *root, const char *process,
			  struct cgroup_layout *ret_layout, struct err *err) MUST_CHECK;

/*
 * cgroup_layout_narrow() - for a runtime that is not root of the host: which hierarchies are open to it, and from where
 *
 * What was delegated to it holds its own cgroup: the parent of that one if it may make cgroups there (on v2 it must not
 * be the own one, which has processes), else the own one. A hierarchy with neither is closed.
 *
 * @root: as for cgroup_layout_read()
 * Return: 0; -errno
 */
int cgroup_layout_narrow(struct arena *arena, const char *root, struct cgroup_layout *layout,
			 struct err *err) MUST_CHECK;

/* cgroup_layout_widen() - as root of the host has it */
void cgroup_layout_widen(struct cgroup_layout *layout);

/* cgroup_has_controller() - does the hierarchy offer @controller ("memory", "io", "name=systemd")? */
bool cgroup_has_controller(const struct cgroup_hierarchy *hierarchy, const char *controller);

/* cgroup_find() - Return: index of the open hierarchy that offers @controller; -1 if none does */
int cgroup_find(const struct cgroup_layout *layout, const char *controller);

/* cgroup_find_v2() - Return: index of the v2 hierarchy; -1 if there is none, or it is closed */
int cgroup_find_v2(const struct cgroup_layout *layout);

#endif
