/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hosts that the unit tests of the cgroup layer and of its planner stand on. */
#ifndef TARE_TESTS_LAYOUTS_H
#define TARE_TESTS_LAYOUTS_H

#include "cgroup/layout.h"

#define HIERARCHY(name, list)                                                                      \
	{                                                                                          \
		.mount = "/sys/fs/cgroup/" name, .root = "/", .controllers = list, .own_path = "/" \
	}

static struct cgroup_hierarchy v1_items[] = {
	HIERARCHY("cpu,cpuacct", "cpu,cpuacct"),
	HIERARCHY("cpuset", "cpuset"),
	HIERARCHY("memory", "memory"),
	HIERARCHY("devices", "devices"),
	HIERARCHY("freezer", "freezer"),
	HIERARCHY("blkio", "blkio"),
	HIERARCHY("pids", "pids"),
	HIERARCHY("net_cls,net_prio", "net_cls,net_prio"),
	HIERARCHY("hugetlb", "hugetlb"),
	HIERARCHY("rdma", "rdma"),
	HIERARCHY("systemd", "name=systemd"),
};

static struct cgroup_hierarchy hybrid_items[] = {
	HIERARCHY("cpu", "cpu"),
	HIERARCHY("cpuset", "cpuset"),
	HIERARCHY("memory", "memory"),
	HIERARCHY("devices", "devices"),
	HIERARCHY("pids", "pids"),
	{ .v2 = true,
	  .mount = "/sys/fs/cgroup/unified",
	  .root = "/",
	  .controllers = "hugetlb",
	  .own_path = "/" },
};

static struct cgroup_hierarchy v2_items[] = {
	{ .v2 = true,
	  .mount = "/sys/fs/cgroup",
	  .root = "/",
	  .controllers = "cpuset cpu io memory hugetlb pids rdma misc",
	  .own_path = "/" },
};

static struct cgroup_hierarchy poor_v2_items[] = {
	{ .v2 = true,
	  .mount = "/sys/fs/cgroup",
	  .root = "/",
	  .controllers = "cpu pids",
	  .own_path = "/" },
};

static const struct cgroup_layout layouts[] __attribute__((unused)) = {
	[CGROUP_NONE] = { CGROUP_NONE, NULL, 0 },
	[CGROUP_V1] = { CGROUP_V1, v1_items, sizeof(v1_items) / sizeof(v1_items[0]) },
	[CGROUP_HYBRID] = { CGROUP_HYBRID, hybrid_items,
			    sizeof(hybrid_items) / sizeof(hybrid_items[0]) },
	[CGROUP_V2] = { CGROUP_V2, v2_items, 1 },
#define POOR_V2 4 /* only cpu and pids were delegated */
	[POOR_V2] = { CGROUP_V2, poor_v2_items, 1 },
};

#endif
