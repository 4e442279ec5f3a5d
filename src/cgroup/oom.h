/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hearing of it when the kernel ends a process of a container for want of memory: an eventfd on v1, inotify on v2.
 */
#ifndef TARE_CGROUP_OOM_H
#define TARE_CGROUP_OOM_H

#include "base/err.h"
#include "cgroup/layout.h"

struct cgroup_oom {
	int fd; /* to be polled for reading, owned; -EBADF: no cgroup of the container can tell */
	int control; /* v1: memory.oom_control, owned */
	const struct cgroup_dir *dir;
	uint64_t seen; /* v2: the count so far */
};

#define CGROUP_OOM_INIT ((struct cgroup_oom){ .fd = -EBADF, .control = -EBADF })

/* cgroup_oom_open() - watch, if there is something to watch; @dirs are borrowed. Return: 0; -errno */
int cgroup_oom_open(const struct cgroup_dir *dirs, size_t n, struct cgroup_oom *ret,
		    struct err *err) MUST_CHECK;

/* cgroup_oom_count() - how often it happened since the last time; never waits */
uint64_t cgroup_oom_count(struct cgroup_oom *oom);

void cgroup_oom_close(struct cgroup_oom *oom);

#endif
