/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cgroups of a container beside the hierarchies of the host that they are in. */
#ifndef TARE_RUNTIME_CGROUPS_H
#define TARE_RUNTIME_CGROUPS_H

#include "runtime/container.h"

struct cgroups {
	struct cgroup_layout layout; /* the hierarchies in which the container has a cgroup ... */
	struct cgroup_dir *dirs;     /* ... and that cgroup in each */
	size_t n_host;               /* hierarchies of the host */
};

/* cgroups_find() - everything in *ret lives in @arena, but for the paths, which are @container's. Return: 0; -errno */
int cgroups_find(struct arena *arena, const struct container *container, struct cgroups *ret,
		 struct err *err) MUST_CHECK;

#endif
