/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel counts for a container, as the members of an event of `events` that runc's callers decode: cpu, cpuset,
 * memory, pids, blkio, hugetlb.
 *
 * Tables say which file, and which number in it, each member is, in v1 and in v2. What a kernel doesn't count is 0 or left
 * out, as runc does with it. On v2 the limit of swap counts memory, too, as on v1.
 *
 * Spec: requirements 2.3; row C-7
 */
#ifndef TARE_CGROUP_STATS_H
#define TARE_CGROUP_STATS_H

#include "base/json_write.h"
#include "cgroup/layout.h"

/*
 * cgroup_stats_write() - add the members to the object that is open in @w
 * @layout, @dirs: the hierarchies in which the container has a cgroup, and that cgroup in each
 */
void cgroup_stats_write(struct json_writer *w, const struct cgroup_layout *layout,
			const struct cgroup_dir *dirs);

#endif
