/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From linux.cgroupsPath in systemd's form, "slice:prefix:name", to the unit and the cgroup that it has.
 *
 * The unit is the scope "prefix-name.scope", or "name.scope" without a prefix; a name that ends in ".slice" is a slice
 * itself. An absent slice is system.slice, or user.slice of a user's own manager; without a path at all the unit is
 * "tare-ID.scope". The dashes of a slice's name are its path: "a-b.slice" is a.slice/a-b.slice, "-.slice" the root.
 *
 * Spec: not in the OCI's; rows G-4, K-16; systemd.slice(5), systemd.unit(5)
 */
#ifndef TARE_CGROUP_UNIT_NAME_H
#define TARE_CGROUP_UNIT_NAME_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>

/* systemd's own limit, with the suffix (UNIT_NAME_MAX less the NUL). */
#define UNIT_NAME_LEN_MAX 255

struct unit_name {
	const char *unit;  /* "tare-web.scope" */
	const char *slice; /* "system.slice" */
	const char *path;  /* below the manager's own cgroup: "/system.slice/tare-web.scope" */
	bool is_slice;     /* the unit is a slice itself */
};

/*
 * unit_name_parse() - what systemd will call it
 * @cgroups_path: as in the config; NULL or "": absent
 * @id:           the container's
 * @user:         it is for a user's own manager
 *
 * Return: 0; -EINVAL and *err at /linux/cgroupsPath
 */
int unit_name_parse(struct arena *arena, const char *cgroups_path, const char *id, bool user,
		    struct unit_name *ret, struct err *err) MUST_CHECK;

/*
 * unit_manager_path() - the cgroup of the manager itself, below the mount
 * @own_path: the cgroup that we are in
 *
 * The system's manager is at the root. A user's is the last "user@UID.service" above us; if we are in none, it is where
 * logind puts it.
 */
const char *unit_manager_path(struct arena *arena, const char *own_path, bool user, unsigned uid);

#endif
