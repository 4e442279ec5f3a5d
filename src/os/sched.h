/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel gives a process and how much: resource limits, processor time, I/O priority, memory nodes.
 * A @pid of 0 is the calling process.
 */
#ifndef TARE_OS_SCHED_H
#define TARE_OS_SCHED_H

#include "base/defer.h"

#include <stdint.h>
#include <sys/types.h>

/*
 * os_rlimit_set(), os_rlimit_get() - a limit of another process, or of this one
 * @resource: RLIMIT_*; UINT64_MAX is "unlimited"
 *
 * Needs:  the same ids as @pid, or CAP_SYS_RESOURCE over it; CAP_SYS_RESOURCE in the initial user namespace to raise
 *         the hard limit
 */
int os_rlimit_set(pid_t pid, int resource, uint64_t soft, uint64_t hard) MUST_CHECK;
int os_rlimit_get(pid_t pid, int resource, uint64_t *ret_soft, uint64_t *ret_hard) MUST_CHECK;

/* struct sched_attr of sched_setattr(2), in its first published size, which every kernel takes. */
struct os_sched {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
};

/* os_sched_set() - @sched->size is filled in here. Needs: CAP_SYS_NICE for what favours the process */
int os_sched_set(pid_t pid, struct os_sched *sched) MUST_CHECK;

/* os_ioprio_set() - for the process group that @pid leads. @class: IOPRIO_CLASS_* */
int os_ioprio_set(pid_t pid, int class, int priority) MUST_CHECK;

/*
 * os_affinity_widen() - ask for all processors there can be
 *
 * The kernel cuts the mask to the cpuset without forgetting what was asked for (since 6.2 it remembers a mask that was
 * set before a cpuset move, and would keep the process to it).
 */
int os_affinity_widen(pid_t pid) MUST_CHECK;

/* os_affinity_set() - keep it to the processors whose bits are set in @mask, of @size bytes (a multiple of a long's) */
int os_affinity_set(pid_t pid, const void *mask, size_t size) MUST_CHECK;

/* os_mempolicy_set() - @mode: MPOL_* with flags; @nodes may be NULL with @max_node 0 */
int os_mempolicy_set(int mode, const unsigned long *nodes, unsigned long max_node) MUST_CHECK;

int os_personality_set(unsigned long domain) MUST_CHECK;

#endif
