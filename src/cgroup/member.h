/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which cgroups a further process of a container joins: exec. Normally those of the record. But an init may have moved
 * itself, as systemd does; then the container's own cgroup may refuse processes (v2: no process beside children that have
 * controllers), so the others go where init is. And the caller may name cgroups below the container's.
 *
 * Rows: K-12, K-13
 */
#ifndef TARE_CGROUP_MEMBER_H
#define TARE_CGROUP_MEMBER_H

#include "cgroup/layout.h"

#include <sys/types.h>

/*
 * cgroup_follow() - where a process of the container is now, in each hierarchy that the container has a cgroup in
 * @dirs: @n of them, changed in place where the process is elsewhere; new texts are in the arena
 * @pid:  the container's init
 *
 * Return: 0; -ENOENT if there is no such process; -errno
 */
int cgroup_follow(struct arena *arena, struct cgroup_dir *dirs, size_t n, pid_t pid,
		  struct err *err) MUST_CHECK;

/*
 * cgroup_choose_below() - go down from the container's cgroups to ones that the caller names
 * @dirs: @n of them, changed in place
 * @word: "PATH" for all hierarchies, or "CONTROLLER[,CONTROLLER...]:PATH" (v1 only); PATH counts from the container's
 *        cgroup and can't lead out of it
 * @ret_chosen: bits of the hierarchies that @word is about; @n is at most 64
 *
 * Pure: whether there is such a cgroup shows when it is opened.
 *
 * Return: 0; -EINVAL and *err
 */
int cgroup_choose_below(struct arena *arena, struct cgroup_dir *dirs, size_t n, const char *word,
			uint64_t *ret_chosen, struct err *err) MUST_CHECK;

#endif
