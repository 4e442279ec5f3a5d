/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a new v1 cgroup lacks that its children can't do without: a cpuset has no CPUs and no memory nodes, and nobody can join
 * it; and nobody below a cgroup without real-time time can have any.
 */
#ifndef TARE_CGROUP_PARENTS_H
#define TARE_CGROUP_PARENTS_H

#include "cgroup/make.h"

/*
 * cgroup_cpuset_fill() - copy @file ("cpuset.cpus" or "cpuset.mems") down the path to where it is empty
 * @existing: names of the path that were there before; the others are known to be empty
 * @leaf:     the container's own as well; without, it is written from the config, but its new parents need theirs
 *
 * Return: 0; -errno
 */
int cgroup_cpuset_fill(const struct cgroup_request *request, uint32_t existing, const char *file,
		       bool leaf, struct err *err) MUST_CHECK;

/*
 * cgroup_realtime_fill() - give each new parent of the container's cgroup the real-time time that the container asks for
 * @existing: names of the path that were there before: theirs is for whoever made them to say
 *
 * Return: 0; -errno
 */
int cgroup_realtime_fill(const struct cgroup_request *request, uint32_t existing,
			 struct err *err) MUST_CHECK;

#endif
