/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the planners of the filesystem share: each entry of mounts[] with its options understood.
 * Made once, by plan_root_open(), since sources are opened long before their targets are.
 */
#ifndef TARE_RUNTIME_PLAN_MOUNT_H
#define TARE_RUNTIME_PLAN_MOUNT_H

#include "runtime/mount_words.h"
#include "runtime/planners.h"

enum mount_class {
	MOUNT_CLASS_NEW,     /* a filesystem of its own */
	MOUNT_CLASS_BIND,    /* a tree of the host */
	MOUNT_CLASS_CGROUP,  /* the cgroup hierarchies, whichever the host has */
	MOUNT_CLASS_REMOUNT, /* other flags for what is mounted there */
};

struct mount_request {
	enum mount_class class;
	const char *pointer; /* "/mounts/3" */
	const char *target;  /* destination, absolute and clean */
	const char *fstype;  /* for NEW and REMOUNT of a filesystem */
	const char *source;  /* absolute for a bind, never NULL otherwise */
	struct mount_words words;
	const char *uid_map; /* BIND with mappings of its own; as /proc/PID/uid_map takes it */
	const char *gid_map;
	int16_t idmap_ns; /* the namespace made for these */
	/* 1 + index of the entry whose own, fresh tmpfs holds the target; or 0 */
	size_t fresh_parent;
	bool holds_others;     /* it is such a tmpfs */
	int16_t own_dir;       /* and this is it */
	bool late_ro;          /* something is still made in it: becomes read-only before PIVOT */
	int16_t tree;          /* BIND: the detached tree */
	int16_t *cgroup_trees; /* CGROUP without a cgroup namespace: [facts->cgroup.n] */
};

/* plan_mount_request.c: what the entries of the config mean */
int plan_mount_requests(struct planner_state *s, struct err *err) MUST_CHECK;

/* mount_data_has() - is there a "@key=" among a filesystem's options? */
bool mount_data_has(const char *data, const char *key);

/* plan_mount.c: the sources of binds */
int plan_mount_sources(struct planner_state *s, struct err *err) MUST_CHECK;

/* plan_cgroup_mount.c: what entries of type "cgroup" take of the host; one such entry */
int plan_cgroup_sources(struct planner_state *s, struct err *err) MUST_CHECK;
void plan_cgroup_mount(struct planner_state *s, const struct mount_request *request);

/* plan_device.c, plan_mask.c: what they need of the host */
void plan_device_sources(struct planner_state *s);
void plan_mask_sources(struct planner_state *s);

/* device_path() - where the device @i is (clean): the default ones, then the config's; NULL behind the last */
const char *device_path(struct planner_state *s, size_t i);

/*
 * mount_covers() - does any mount of the config put something other than the rootfs at @path
 * (clean)?
 */
bool mount_covers(const struct planner_state *s, const char *path);

/* mount_is_host_dir() - is @path (clean) inside a bind, that is, in a directory of the host's? */
bool mount_is_host_dir(const struct planner_state *s, const char *path);

/* clean_path() - path_clean() into the plan's arena */
const char *clean_path(struct planner_state *s, const char *path);

/* root_propagation() - linux.rootfsPropagation as MS_* perhaps with MS_REC; 0 when absent */
uint64_t root_propagation(const struct planner_state *s);

#endif
