/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mount of type "cgroup" stands for whatever hierarchies the host has. On v2 it is one cgroup2.
 * On v1 and hybrid hosts it is what people find on the host: a tmpfs with a directory for each
 * hierarchy, and links by controller where several share one ("cpu" -> "cpu,cpuacct"). In a cgroup
 * namespace the hierarchies are mounted anew and begin at the container's own cgroup; without one,
 * just that cgroup's directory is bound (row M-15).
 */
#include "base/guard.h"
#include "runtime/plan_mount.h"
#include "runtime/plan_label.h"

#include <string.h>

/*
 * Without a namespace to hide the rest, who has no right to the host's cgroups must not write to
 * them (CVE-2023-25809).
 */
static bool must_be_readonly(const struct planner_state *s)
{
	return GUARD(cgroup_readonly) && !s_ns_private(s, NS_CGROUP) &&
	       (s_ns_private(s, NS_USER) || s->facts->rootless);
}

static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int16_t open_own_cgroup(struct planner_state *s, const struct mount_request *request,
			       size_t i)
{
	const struct mount_words *words = &request->words;
	struct step *step = plan_add(s->plan, s->opener, STEP_SOURCE_OPEN, request->pointer);
	int16_t slot = plan_slot(s->plan, plan_printf(s->plan, "cgroup %s", s->cgroup_paths[i]));

	step->out = slot;
	step->u.source_open.path = plan_strdup(s->plan, s->cgroup_paths[i]);
	step->u.source_open.attr_set = words->attr_set | words->rec_attr_set |
				       (must_be_readonly(s) ? MOUNT_ATTR_RDONLY : 0);
	step->u.source_open.attr_clr = words->attr_clr | words->rec_attr_clr;
	step->u.source_open.rec_propagation = MS_PRIVATE;
	return slot;
}

int plan_cgroup_sources(struct planner_state *s, struct err *err)
{
	const struct cgroup_layout *layout = &s->facts->cgroup;

	for (size_t m = 0; m < s->config->mounts.n; m++) {
		struct mount_request *request = &s->mounts[m];

		if (request->class != MOUNT_CLASS_CGROUP)
			continue;
		if (layout->mode == CGROUP_NONE) {
			err_user(err,
				 "mount \"cgroup\" on \"%s\": this host has no cgroup hierarchy "
				 "mounted",
				 request->target);
			return err_at(err, request->pointer);
		}
		if (s_ns_private(s, NS_CGROUP))
			continue;
		request->cgroup_trees =
			arena_array(&s->plan->arena, layout->n, sizeof(*request->cgroup_trees));
		for (size_t i = 0; i < layout->n; i++)
			request->cgroup_trees[i] = s->cgroup_paths && s->cgroup_paths[i]
							   ? open_own_cgroup(s, request, i)
							   : SLOT_NONE;
	}
	return 0;
}

int plan_cgroup_trees(struct planner_state *s, struct err *err)
{
	return s->opener == STEP_PARENT ? plan_cgroup_sources(s, err) : 0;
}

/* One hierarchy on @target; @parent: slot of the tmpfs that holds it, or SLOT_NONE. */
static void mount_hierarchy(struct planner_state *s, const struct mount_request *request, size_t i,
			    const char *target, int16_t parent)
{
	const struct cgroup_hierarchy *hierarchy = &s->facts->cgroup.items[i];
	struct step *step;

	if (!request->cgroup_trees) {
		step = plan_add(s->plan, STEP_CHILD, STEP_MOUNT, request->pointer);
		step->in[0] = s->slots.rootfs;
		step->u.mount.fstype = hierarchy->v2 ? "cgroup2" : "cgroup";
		step->u.mount.source = "cgroup";
		step->u.mount.target = target;
		step->u.mount.flags = request->words.flags;
		step->u.mount.data =
			hierarchy->v2 ? NULL : plan_strdup(s->plan, hierarchy->controllers);
		step->u.mount.here = parent != SLOT_NONE;
		step->in[1] = parent;
		return;
	}
	if (request->cgroup_trees[i] == SLOT_NONE)
		return;
	step = plan_add(s->plan, STEP_CHILD, STEP_ATTACH, request->pointer);
	step->in[0] = s->slots.rootfs;
	step->in[1] = request->cgroup_trees[i];
	step->u.attach.source = plan_strdup(s->plan, s->cgroup_paths[i]);
	step->u.attach.target = target;
	step->u.attach.here = parent != SLOT_NONE;
	step->in[2] = parent;
}

/* "cpu" and "cpuacct" beside the directory "cpu,cpuacct": that is where programs look. */
static void link_controllers(struct planner_state *s, const struct mount_request *request,
			     const struct cgroup_hierarchy *hierarchy, const char *name,
			     int16_t parent)
{
	const char *controller = hierarchy->controllers;
	size_t len;

	if (hierarchy->v2 || strncmp(controller, "name=", 5) == 0)
		return;
	for (; *controller; controller += len + (controller[len] == ',')) {
		struct step *step;

		len = strcspn(controller, ",");
		if (strlen(name) == len && strncmp(name, controller, len) == 0)
			continue;
		step = plan_add(s->plan, STEP_CHILD, STEP_SYMLINK, request->pointer);
		step->in[0] = s->slots.rootfs;
		step->in[1] = parent;
		step->u.symlink.target = plan_strdup(s->plan, name);
		step->u.symlink.path =
			plan_printf(s->plan, "%s/%.*s", request->target, (int)len, controller);
	}
}

static int16_t plan_tmpfs(struct planner_state *s, const struct mount_request *request)
{
	struct step *step = plan_add(s->plan, STEP_CHILD, STEP_MOUNT, request->pointer);
	const char *label;

	step->in[0] = s->slots.rootfs;
	step->u.mount.fstype = "tmpfs";
	step->u.mount.source = "cgroup";
	step->u.mount.target = request->target;
	step->u.mount.flags = request->words.flags & ~(unsigned long)MS_RDONLY;
	step->u.mount.data = label_mount_data(s, "tmpfs", "mode=755", &label);
	step->out = plan_slot(s->plan, plan_printf(s->plan, "tmpfs on %s", request->target));
	return step->out;
}

void plan_cgroup_mount(struct planner_state *s, const struct mount_request *request)
{
	const struct cgroup_layout *layout = &s->facts->cgroup;
	struct step *step;
	int16_t parent;

	if (layout->mode == CGROUP_V2) {
		mount_hierarchy(s, request, layout->n - 1, request->target, SLOT_NONE);
		return;
	}

	parent = plan_tmpfs(s, request);
	for (size_t i = 0; i < layout->n; i++) {
		const char *name = last_component(layout->items[i].mount);

		mount_hierarchy(s, request, i, plan_printf(s->plan, "%s/%s", request->target, name),
				parent);
	}
	for (size_t i = 0; i < layout->n; i++)
		link_controllers(s, request, &layout->items[i],
				 plan_strdup(s->plan, last_component(layout->items[i].mount)),
				 parent);

	if (!(request->words.flags & MS_RDONLY) && !must_be_readonly(s))
		return;
	step = plan_add(s->plan, STEP_CHILD, STEP_MOUNT, request->pointer);
	step->in[0] = s->slots.rootfs;
	step->u.mount.target = request->target;
	step->u.mount.source = "cgroup";
	step->u.mount.remount = true;
	step->u.mount.attr_set = MOUNT_ATTR_RDONLY;
}
