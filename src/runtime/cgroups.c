/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/cgroups.h"

#include <string.h>

static const struct cgroup_dir *find_dir(const struct container *c, const char *mount)
{
	for (size_t i = 0; i < c->n_cgroups; i++) {
		if (strcmp(c->cgroups[i].mount, mount) == 0)
			return &c->cgroups[i];
	}
	return NULL;
}

int cgroups_find(struct arena *arena, const struct container *container, struct cgroups *ret,
		 struct err *err)
{
	struct cgroup_layout host;
	size_t n = 0;
	int r;

	r = cgroup_layout_read(arena, "", &host, err);
	if (r < 0)
		return r;
	*ret = (struct cgroups){ .layout = host, .n_host = host.n };
	ret->dirs = arena_array(arena, host.n + 1, sizeof(*ret->dirs));
	for (size_t i = 0; i < host.n; i++) {
		const struct cgroup_dir *dir = find_dir(container, host.items[i].mount);

		if (!dir)
			continue;
		ret->layout.items[n] = host.items[i];
		ret->dirs[n++] = *dir;
	}
	ret->layout.n = n;
	return 0;
}
