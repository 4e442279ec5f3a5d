/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making a container's cgroup in one hierarchy, ready for its limits and for processes.
 *
 * Spec: config-linux.md "Control groups"; rows G-5, G-6, K-5, K-11; kernel cgroup-v2.rst
 */
#ifndef TARE_CGROUP_MAKE_H
#define TARE_CGROUP_MAKE_H

#include "base/err.h"
#include "cgroup/layout.h"

struct cgroup_request {
	const char *path, *mount; /* absolute; @path begins with @mount */
	bool v2;
	uint32_t expected; /* what cgroup_existing() said before; UINT32_MAX if it was not asked */
	/* v2: controllers to switch on in every parent, "+cpu +memory"; "" for none */
	const char *enable;
	/* v2: those of them that must come on; the others are for statistics and updates */
	const char *needed;
	bool exclusive; /* refuse it while another create has it; one hierarchy is enough to tell */
	bool of_unit;   /* systemd may have made it, with a process in it: fit as it is */
	bool cpuset;    /* v1: this hierarchy has the cpuset controller */
	bool copy_cpus,
		copy_mems; /* cpuset: take the parent's, since without them nobody can join */
	const char *rt_runtime,
		*rt_period; /* v1 cpu: for the parents that are new; NULL for none */
};

/*
 * cgroup_make() - make the directory and what is missing above it
 * @ret_existing: how many names of the path, below the mount, were there already
 * @ret_fd:       the directory, owned by the caller
 *
 * A cgroup that is there already must be fit: not frozen, and without processes in it or below; and it must have been
 * there when @request->expected was asked for, or somebody else is making it now. On failure the directories that were
 * made are removed again.
 *
 * Return: 0; -EEXIST for an unfit one; -errno
 */
int cgroup_make(const struct cgroup_request *request, uint32_t *ret_existing, int *ret_fd,
		struct err *err) MUST_CHECK;

/* cgroup_enable_controllers() - v2: switch @request->enable on in every cgroup above @request->path. Return: 0; -errno */
int cgroup_enable_controllers(const struct cgroup_request *request, struct err *err) MUST_CHECK;

/* cgroup_existing() - how many leading names of @path, below @mount, are there now. Return: 0; -errno */
int cgroup_existing(const char *mount, const char *path, uint32_t *ret_existing) MUST_CHECK;

#endif
