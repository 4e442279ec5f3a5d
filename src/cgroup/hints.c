/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/hints.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* First match wins: the beginning of a file's name, and an errno, or 0 for any. */
static const struct {
	const char *file;
	int code;
	const char *hint;
} hints[] = {
	{ "memory.swap.", ENOENT,
	  "the kernel doesn't account swap: boot with swapaccount=1, or leave memory.swap out" },
	{ "memory.memsw.", ENOENT,
	  "the kernel doesn't account swap: boot with swapaccount=1, or leave memory.swap out" },
	{ "memory.memsw.", EINVAL, "memory and swap together must be at least memory.limit" },
	{ "memory.limit_in_bytes", EINVAL,
	  "memory and swap together, memory.memsw.limit_in_bytes, must be at least as much: set "
	  "memory.swap as well" },
	{ "memory.use_hierarchy", EINVAL,
	  "this kernel knows only hierarchical accounting: leave useHierarchy out" },
	{ "memory.kmem.", EOPNOTSUPP,
	  "this kernel no longer limits kernel memory on its own: leave it out" },
	{ "memory.kmem.", EINVAL,
	  "this kernel no longer limits kernel memory on its own: leave it out" },
	{ "memory.", EBUSY,
	  "the cgroup uses more than that already, and the kernel could not take it back" },
	{ "cpu.rt_", EINVAL,
	  "a parent cgroup that was there must have that much left to give, see cpu.rt_runtime_us "
	  "there; "
	  "the runtime can't be above the period" },
	{ "cpu.rt_", ENOENT, "the kernel must be built with CONFIG_RT_GROUP_SCHED" },
	{ "cpu.shares", EINVAL, "a cgroup with cpu.idle set has no shares" },
	{ "cpu.cfs_burst", EINVAL, "the burst can be at most the quota" },
	{ "cpu.max.burst", EINVAL, "the burst can be at most the quota" },
	{ "cpu.cfs_", EINVAL,
	  "a period is 1000 to 1000000 us, a quota at least 1000, and no more than a parent's" },
	{ "cpu.max", EINVAL,
	  "a period is 1000 to 1000000 us, a quota at least 1000, and no more than a parent's" },
	{ "cpuset.cpus", 0, "the CPUs must be online and a subset of the parent cgroup's" },
	{ "cpuset.mems", 0, "the memory nodes must be online and a subset of the parent cgroup's" },
	{ "blkio.bfq.", ENOENT,
	  "weights need the BFQ scheduler: CONFIG_BFQ_GROUP_IOSCHED, and bfq on the device" },
	{ "blkio.weight", ENOENT,
	  "weights need the BFQ scheduler: CONFIG_BFQ_GROUP_IOSCHED, and bfq on the device" },
	{ "blkio.leaf_weight", ENOENT,
	  "leaf weights went with the CFQ scheduler, which Linux 5.0 removed" },
	{ "io.weight", ENOENT, "weights need CONFIG_BLK_CGROUP_IOCOST or the BFQ scheduler" },
	{ "io.", ENODEV, "there is no block device with that number on this host, see lsblk" },
	{ "blkio.", ENODEV, "there is no block device with that number on this host, see lsblk" },
	{ "io.", ENXIO, "there is no block device with that number on this host, see lsblk" },
	{ "blkio.", ENXIO, "there is no block device with that number on this host, see lsblk" },
	{ "hugetlb.", ENOENT,
	  "this host has no huge pages of that size, see /sys/kernel/mm/hugepages" },
	{ "net_prio.", ENODEV, "there is no network interface of that name here" },
	{ "rdma.max", ENODEV, "there is no RDMA device of that name here" },
	{ "devices.", EPERM,
	  "the parent cgroup, in which tare-oci itself runs, doesn't have that access either" },
	{ "devices.", EINVAL, "the cgroup has children already, so its devices can't be reset" },
	{ "", ENOENT,
	  "the kernel gives this cgroup no such file: is the controller enabled in the parents' "
	  "cgroup.subtree_control, and the kernel new enough?" },
	{ "", ERANGE, "the value is outside of the range that the kernel allows" },
};

const char *cgroup_write_hint(const char *file, int code)
{
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		if (strncmp(file, hints[i].file, strlen(hints[i].file)) == 0 &&
		    (hints[i].code == 0 || hints[i].code == -code))
			return hints[i].hint;
	}
	return NULL;
}
