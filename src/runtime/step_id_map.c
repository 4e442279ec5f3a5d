/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ids of a new user namespace. Root writes the maps; a user may map himself alone, and has newuidmap and newgidmap
 * do the rest (id_helper.h).
 *
 * Spec: config-linux.md "User namespace mappings"; user_namespaces(7), newuidmap(1)
 */
#include "runtime/act.h"

#include "os/file.h"
#include "runtime/id_helper.h"

#include <stdio.h>
#include <string.h>

/* What the two kinds of ids differ in. */
struct kind {
	const char *file, *pointer;
	enum id_helper helper;
};

static const struct kind uids = { "uid_map", "/linux/uidMappings", ID_HELPER_UID };
static const struct kind gids = { "gid_map", "/linux/gidMappings", ID_HELPER_GID };

/* ---- writing them ourselves ------------------------------------------------------------------------------------- */

static int write_file(struct act *a, const struct step *step, const char *file, const char *text)
{
	char path[48];

	snprintf(path, sizeof(path), "%d/%s", (int)a->child_pid, file);
	return os_file_write_at(a->fd[step->in[0]], path, text, strlen(text));
}

static int write_map(struct act *a, const struct step *step, const struct kind *kind,
		     const char *map, struct err *err)
{
	int r = write_file(a, step, kind->file, map);

	if (r < 0) {
		err_set(err, r, "write the %s of the container's user namespace", kind->file);
		if (r == -EINVAL)
			err_hint(err, ID_MAP_HINT);
	}
	return r;
}

/* ---- the step --------------------------------------------------------------------------------------------------- */

static int set_map(struct act *a, const struct step *step, const struct kind *kind, const char *map,
		   bool helper, struct err *err)
{
	int r = helper ? id_helper_run(kind->helper, a->child_pid, map, err)
		       : write_map(a, step, kind, map, err);

	return r < 0 ? err_at(err, kind->pointer) : 0;
}

/*
 * step_id_map() - write gid_map, then uid_map
 *
 * A user may write a gid_map only when setgroups() is given up: else the container could drop a group that keeps him out
 * of a file (row X-17, CVE-2014-8989).
 */
int step_id_map(struct act *a, const struct step *step, struct err *err)
{
	int r = step->u.id_map.deny_groups ? write_file(a, step, "setgroups", "deny") : 0;

	if (r < 0)
		return err_set(err, r, "deny setgroups in the container's user namespace");
	r = set_map(a, step, &gids, step->u.id_map.gid_map, step->u.id_map.gid_helper, err);
	if (r < 0)
		return r;
	return set_map(a, step, &uids, step->u.id_map.uid_map, step->u.id_map.uid_helper, err);
}
