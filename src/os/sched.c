/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/sched.h"

#include "os/fault.h"

#include <linux/ioprio.h>
#include <sched.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* More processors than any kernel is built for; the kernel ignores the bits beyond its own mask. */
#define AFFINITY_CPUS 8192

int os_rlimit_set(pid_t pid, int resource, uint64_t soft, uint64_t hard)
{
	struct rlimit limit = { .rlim_cur = soft, .rlim_max = hard };

	OS_FAULT("prlimit");
	return prlimit(pid, (enum __rlimit_resource)resource, &limit, NULL) < 0 ? -errno : 0;
}

int os_rlimit_get(pid_t pid, int resource, uint64_t *ret_soft, uint64_t *ret_hard)
{
	struct rlimit limit;

	OS_FAULT("prlimit");
	if (prlimit(pid, (enum __rlimit_resource)resource, NULL, &limit) < 0)
		return -errno;
	*ret_soft = limit.rlim_cur;
	*ret_hard = limit.rlim_max;
	return 0;
}

int os_sched_set(pid_t pid, struct os_sched *sched)
{
	OS_FAULT("sched_setattr");
	sched->size = sizeof(*sched);
	return syscall(SYS_sched_setattr, pid, sched, 0) < 0 ? -errno : 0;
}

int os_ioprio_set(pid_t pid, int class, int priority)
{
	OS_FAULT("ioprio_set");
	return syscall(SYS_ioprio_set, IOPRIO_WHO_PGRP, pid, IOPRIO_PRIO_VALUE(class, priority)) < 0
		       ? -errno
		       : 0;
}

int os_affinity_widen(pid_t pid)
{
	unsigned char mask[AFFINITY_CPUS / 8];

	memset(mask, 0xff, sizeof(mask));
	return os_affinity_set(pid, mask, sizeof(mask));
}

int os_affinity_set(pid_t pid, const void *mask, size_t size)
{
	OS_FAULT("sched_setaffinity");
	return syscall(SYS_sched_setaffinity, pid, size, mask) < 0 ? -errno : 0;
}

int os_mempolicy_set(int mode, const unsigned long *nodes, unsigned long max_node)
{
	OS_FAULT("set_mempolicy");
	return syscall(SYS_set_mempolicy, mode, nodes, max_node) < 0 ? -errno : 0;
}

int os_personality_set(unsigned long domain)
{
	OS_FAULT("personality");
	return personality(domain) < 0 ? -errno : 0;
}
