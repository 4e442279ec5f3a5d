/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stopping the processes of a container's cgroups for a while.
 *
 * A container has one directory in each hierarchy; the freezer is looked for where it serves best: the v1 controller of
 * that name, then cgroup v2. The kernel of v2 tells when all have stopped (cgroup.events can be polled); v1's is asked
 * again and again.
 *
 * Spec:  kernel cgroup-v2.rst "cgroup.freeze", "cgroup.events", cgroup-v1/freezer-subsystem.rst
 * Rows: K-7, K-9
 */
#ifndef TARE_CGROUP_FREEZER_H
#define TARE_CGROUP_FREEZER_H

#include "base/err.h"
#include "cgroup/layout.h"

#define CGROUP_FREEZE_TIMEOUT_MS 2000

/* cgroup_has_freezer() - can these be frozen at all */
bool cgroup_has_freezer(const struct cgroup_dir *dirs, size_t n);

/* cgroup_is_frozen() - Return: 1, 0 (also when there is no freezer) */
int cgroup_is_frozen(const struct cgroup_dir *dirs, size_t n);

/*
 * cgroup_is_frozen_with() - the same, where the state of one of the processes is known
 * @state: of /proc/PID/stat
 *
 * A sleeping process tells it of a v1 freezer without a look.
 */
int cgroup_is_frozen_with(const struct cgroup_dir *dirs, size_t n, char state);

/*
 * cgroup_freeze() - and wait until every process has stopped, at most @timeout_ms
 * Return: 0; -EOPNOTSUPP without a freezer; -ETIMEDOUT: it was thawed again; -errno
 */
int cgroup_freeze(const struct cgroup_dir *dirs, size_t n, int timeout_ms) MUST_CHECK;

/* cgroup_thaw() - does not wait. Return: 0; -EOPNOTSUPP without a freezer; -errno */
int cgroup_thaw(const struct cgroup_dir *dirs, size_t n) MUST_CHECK;

#endif
