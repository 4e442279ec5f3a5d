/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose start is this? Three kinds of callers:
 *
 *   root of the host          may do all of it
 *   root of a user namespace  (podman without root) has its power there: mounts and namespaces as usual, but no device
 *                             nodes, no filter for devices, and cgroups only where they were delegated
 *   a user                    has none at all. A user namespace is the only door: the child, which is born in one, has all
 *                             capabilities inside and does what the parent does otherwise. It gets one even if the config
 *                             has none, with the caller as root and its subordinate ids behind it
 *
 * Row Q-3, requirements 3.1 "automatic user namespace", user_namespaces(7)
 */
#include "runtime/planners.h"

#include <linux/capability.h>
#include <string.h>

static bool has_cap(const struct planner_state *s, int cap)
{
	return s->facts->capabilities & 1ULL << cap;
}

/* The caller as root, then what it was given, in the order of its file. */
static struct id_map_list automatic_map(struct planner_state *s, uint32_t own,
					const struct subid_list *list)
{
	struct id_map_list maps = { .items = arena_array(&s->plan->arena, list->n + 1,
							 sizeof(*maps.items)) };
	uint32_t inside = 1;

	maps.items[maps.n++] = (struct id_map){ .container_id = 0, .host_id = own, .size = 1 };
	for (size_t i = 0; i < list->n && list->items[i].count <= UINT32_MAX - inside; i++) {
		maps.items[maps.n++] = (struct id_map){ .container_id = inside,
							.host_id = list->items[i].start,
							.size = list->items[i].count };
		inside += list->items[i].count;
	}
	return maps;
}

static void add_user_namespace(struct planner_state *s)
{
	struct config *config = arena_alloc(&s->plan->arena, sizeof(*config));
	struct config_linux *l = &config->linux_;

	*config = *s->config;
	l->namespaces[NS_USER] = (struct config_namespace){ .mode = NS_NEW, .pointer = "" };
	/* Both or neither: one with more ids than the other would only surprise. */
	if (s->facts->subuids.n && s->facts->subgids.n) {
		l->uid_mappings = automatic_map(s, s->facts->euid, &s->facts->subuids);
		l->gid_mappings = automatic_map(s, s->facts->egid, &s->facts->subgids);
	} else {
		l->uid_mappings = automatic_map(s, s->facts->euid, &(struct subid_list){ 0 });
		l->gid_mappings = automatic_map(s, s->facts->egid, &(struct subid_list){ 0 });
	}
	s->config = config;
}

static int check_idmaps(const struct planner_state *s, struct err *err)
{
	for (size_t i = 0; i < s->config->mounts.n; i++) {
		if (s->config->mounts.items[i].uid_mappings.n == 0)
			continue;
		err_user_code(err, -EPERM, "idmap the mount on \"%s\": only root of the host may",
			      s->config->mounts.items[i].destination);
		err_hint(err, "leave its uidMappings and gidMappings out");
		return err_at(err, plan_printf(s->plan, "/mounts/%zu/uidMappings", i));
	}
	return 0;
}

int plan_caller(struct planner_state *s, struct err *err)
{
	s->opener = STEP_PARENT;
	if (!s->facts->rootless || has_cap(s, CAP_SYS_ADMIN))
		return 0;

	if (!(s->facts->namespaces & ns_clone_flags[NS_USER])) {
		err_user_code(err, -EPERM,
			      "start a container as uid %u: this kernel has no user namespaces",
			      s->facts->euid);
		return err_hint(err, "run tare-oci as root");
	}
	if (!s_ns_private(s, NS_USER))
		add_user_namespace(s);
	s->opener = STEP_CHILD;
	return check_idmaps(s, err);
}

/* ---- id maps ---------------------------------------------------------------------------------------------------- */

/* Anybody may map himself, and nobody else. */
static bool maps_only(const struct id_map_list *maps, uint32_t own)
{
	return maps->n == 1 && maps->items[0].size == 1 && maps->items[0].host_id == own;
}

void rootless_id_maps(const struct planner_state *s, struct step *step)
{
	const struct config_linux *l = &s->config->linux_;
	bool own_gid = maps_only(&l->gid_mappings, s->facts->egid);

	step->u.id_map.uid_helper =
		!has_cap(s, CAP_SETUID) && !maps_only(&l->uid_mappings, s->facts->euid);
	step->u.id_map.gid_helper = !has_cap(s, CAP_SETGID) && !own_gid;
	step->u.id_map.deny_groups = !has_cap(s, CAP_SETGID) && own_gid;
}
