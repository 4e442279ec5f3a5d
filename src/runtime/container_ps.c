/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ps: who is in a container. */
#include "runtime/container.h"

#include "cgroup/processes.h"

int container_pids(struct arena *arena, const char *root, const char *id, pid_t **ret_pids,
		   size_t *ret_n, struct err *err)
{
	struct container c;
	int r = container_load(arena, root, id, &c, err);

	if (r < 0)
		return r;
	if (c.n_cgroups > 0 || c.status == CONTAINER_STOPPED)
		return cgroup_pids(arena, c.cgroups, c.n_cgroups, ret_pids, ret_n, err);
	err_user_code(err, -EOPNOTSUPP,
		      "list the processes of the container: it has no cgroup that would know them");
	return err_hint(err, "its first process is %d, see ps --forest", (int)c.pid);
}
