/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes of a container's cgroups: are there any, which, end them all.
 *
 * A container has one directory in each hierarchy; each of these functions picks the one that serves best. Cgroups that
 * the container made below its own are included.
 *
 * Rows: K-8, K-9, K-17
 */
#ifndef TARE_CGROUP_PROCESSES_H
#define TARE_CGROUP_PROCESSES_H

#include "base/err.h"
#include "cgroup/layout.h"

#include <sys/types.h>

/* cgroup_has_processes() - in @path or below. Return: 1, 0 (also when it is gone); -errno */
int cgroup_has_processes(const char *path) MUST_CHECK;

/*
 * cgroup_signal_all() - send @signal to every process, each once
 *
 * They are frozen for the time of it, where there is a freezer, so that none can fork past us; a container that was
 * frozen before stays so, except for SIGKILL.
 *
 * Return: number of processes that were found; -errno
 */
int cgroup_signal_all(const struct cgroup_dir *dirs, size_t n, int signal,
		      struct err *err) MUST_CHECK;

/*
 * cgroup_pids() - every process, also those in cgroups below, in ascending order
 * @ret_pids: in @arena. A process of another pid namespace has no number here and is left out
 *
 * Return: 0, also when the cgroups are gone; -errno
 */
int cgroup_pids(struct arena *arena, const struct cgroup_dir *dirs, size_t n, pid_t **ret_pids,
		size_t *ret_n, struct err *err) MUST_CHECK;

/* cgroup_kill_all() - SIGKILL for every process; does not wait for their end. Return: 0; -errno */
int cgroup_kill_all(const struct cgroup_dir *dirs, size_t n, struct err *err) MUST_CHECK;

/* cgroup_oom_kills() - how many processes the kernel has ended for want of memory; 0 when it can't be known */
uint64_t cgroup_oom_kills(const struct cgroup_dir *dirs, size_t n);

#endif
