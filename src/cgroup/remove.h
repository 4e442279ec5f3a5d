/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Removing a container's cgroup and what the container made below it.
 *
 * Only what create made is removed: the record says how many names of the path were there before. Parents that create
 * made go as well once they are empty; others may have moved in meanwhile, so a parent in use is no error.
 *
 * Row: K-10
 */
#ifndef TARE_CGROUP_REMOVE_H
#define TARE_CGROUP_REMOVE_H

#include "base/err.h"
#include "cgroup/layout.h"

/* A cgroup stays busy until the kernel has taken its last process apart; that is short, except on a loaded host. */
#define CGROUP_REMOVE_TIMEOUT_MS 5000

/*
 * cgroup_remove() - deepest first; waits while the last processes end, which must have been killed before
 * Return: 0, also when it is gone already; -EBUSY after @timeout_ms; -errno
 */
int cgroup_remove(const struct cgroup_dir *dir, int timeout_ms, struct err *err) MUST_CHECK;

#endif
