/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a container's cgroup is: linux.cgroupsPath made into a directory of each hierarchy.
 *
 * Every path counts from the hierarchy's mount, a relative one too. The spec leaves the base of a relative path to the
 * runtime but wants the same string to land in the same place each time; the runtime's own cgroup can't promise that: it
 * depends on who calls, and with v1 it can differ from one hierarchy to the next. Without a path it is "/" and the id.
 *
 * Spec: config-linux.md "Cgroups Path"; rows G-1 to G-3
 */
#ifndef TARE_CGROUP_PATH_H
#define TARE_CGROUP_PATH_H

#include "base/arena.h"
#include "base/err.h"
#include "cgroup/layout.h"

#include <stdint.h>

/* The kernel's limit for one name (NAME_MAX), and a bound for the whole, well below PATH_MAX less a mount point. */
#define CGROUP_NAME_MAX 255
#define CGROUP_PATH_MAX 3072

/*
 * cgroup_path_normalize() - a path without ".", ".." and empty components, each component looked at by itself
 * @out: "" or absolute
 * Return: its length; -ENAMETOOLONG; -EINVAL for a name that is too long; -EXDEV if it leads out of where it starts
 */
int cgroup_path_normalize(const char *text, char out[CGROUP_PATH_MAX + 2]) MUST_CHECK;

/*
 * cgroup_path_clean() - the cgroup's path below the mounts: absolute, without ".", ".." and empty components
 * @cgroups_path: as in the config; NULL or "": absent
 * @id:           the container's, already checked
 *
 * Return: 0; -EINVAL and *err when it is too long, leads out of the mount, or is the mount's root itself
 */
int cgroup_path_clean(struct arena *arena, const char *cgroups_path, const char *id,
		      const char **ret_path, struct err *err) MUST_CHECK;

/* cgroup_directory() - the absolute directory of @clean_path in @hierarchy */
const char *cgroup_directory(struct arena *arena, const struct cgroup_hierarchy *hierarchy,
			     const char *clean_path);

#endif
