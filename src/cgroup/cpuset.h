/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A new v1 cpuset has no CPUs and no memory nodes, and nobody can join it; it must be given its parent's. */
#ifndef TARE_CGROUP_CPUSET_H
#define TARE_CGROUP_CPUSET_H

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

#endif
