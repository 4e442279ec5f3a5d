/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mounts[] as steps: the parent opens the sources of binds (plan_mount_sources), the child mounts
 * everything in the config's order (plan_mounts). What the entries mean is plan_mount_request.c's.
 */
#include "runtime/plan_mount.h"
#include "runtime/plan_label.h"

#include "os/path.h"

#include <string.h>

/* ---- sources of binds ------------------------------------------------------------------------ */

/*
 * Who sees what is mounted below a bind later? A clone is a peer of its source, so nothing said
 * means: not the host, unless the whole rootfs is to be shared. A word without "r" is for the top;
 * what is below may be no wider than it.
 */
static void set_bind_propagation(const struct planner_state *s, const struct mount_request *request,
				 struct step *step)
{
	uint64_t word = request->words.propagation, root = root_propagation(s);

	if (!word)
		step->u.source_open.rec_propagation = root & MS_SHARED  ? 0
						      : root & MS_SLAVE ? MS_SLAVE
									: MS_PRIVATE;
	else if (word & MS_REC)
		step->u.source_open.rec_propagation = word & MOUNT_PROPAGATIONS;
	else if (word & (MS_PRIVATE | MS_UNBINDABLE))
		step->u.source_open.rec_propagation = MS_PRIVATE;
	else if (word & MS_SLAVE)
		step->u.source_open.rec_propagation = MS_SLAVE;

	if (word == MS_SHARED || word == MS_UNBINDABLE)
		step->u.source_open.propagation = word;
}

static void open_source(struct planner_state *s, struct mount_request *request)
{
	const struct mount_words *words = &request->words;
	struct step *step = plan_add(s->plan, s->opener, STEP_SOURCE_OPEN, request->pointer);

	request->tree = step->out =
		plan_slot(s->plan, plan_printf(s->plan, "source of %s", request->target));
	step->u.source_open.path = request->source;
	step->u.source_open.recursive = words->recursive;
	step->u.source_open.nofollow = words->src_nofollow || words->copy_symlink;
	step->u.source_open.attr_set = words->attr_set;
	step->u.source_open.attr_clr = words->attr_clr;
	step->u.source_open.rec_attr_set = words->rec_attr_set;
	step->u.source_open.rec_attr_clr = words->rec_attr_clr;
	set_bind_propagation(s, request, step);
}

/* A user namespace with the mappings of mount @index; the same mappings share one. */
static int16_t idmap_namespace(struct planner_state *s, size_t index)
{
	const struct mount_request *request = &s->mounts[index];
	struct step *step;
	int16_t slot;

	for (size_t i = 0; i < index; i++) {
		const struct mount_request *other = &s->mounts[i];

		if (other->idmap_ns != SLOT_NONE && strcmp(other->uid_map, request->uid_map) == 0 &&
		    strcmp(other->gid_map, request->gid_map) == 0)
			return other->idmap_ns;
	}
	slot = plan_slot(s->plan, plan_printf(s->plan, "id mappings of %s", request->target));
	step = plan_add(s->plan, STEP_PARENT, STEP_ID_MAP_NS, request->pointer);
	step->out = slot;
	step->u.id_map_ns.uid_map = request->uid_map;
	step->u.id_map_ns.gid_map = request->gid_map;
	return slot;
}

static void add_idmap(struct planner_state *s, const struct mount_request *request, int16_t ns)
{
	struct step *step = plan_add(s->plan, STEP_PARENT, STEP_IDMAP, request->pointer);

	step->in[0] = request->tree;
	step->in[1] = ns;
	step->u.idmap.path = request->source;
	step->u.idmap.recursive = request->words.ridmap;
}

int plan_mount_sources(struct planner_state *s, struct err *err)
{
	for (size_t i = 0; i < s->config->mounts.n; i++) {
		struct mount_request *request = &s->mounts[i];

		if (request->class != MOUNT_CLASS_BIND)
			continue;
		open_source(s, request);
		if (!request->uid_map)
			continue;
		request->idmap_ns = idmap_namespace(s, i);
		add_idmap(s, request, request->idmap_ns);
	}
	return 0;
}

/* The container's own user namespace exists, with its maps, only after the clone. */
int plan_idmap_child(struct planner_state *s, struct err *err)
{
	for (size_t i = 0; i < s->config->mounts.n; i++) {
		const struct mount_request *request = &s->mounts[i];

		if (!(request->words.idmap || request->words.ridmap) || request->uid_map)
			continue;
		if (s->opener == STEP_CHILD) {
			err_user_code(err, -EPERM,
				      "idmap the mount on \"%s\": only root of the host may",
				      request->target);
			err_hint(err, "leave the option out");
			return err_at(err, request->pointer);
		}
		add_idmap(s, request, s_ns_new(s, NS_USER) ? SLOT_NONE : s->ns[NS_USER]);
	}
	return 0;
}

/* ---- mounting -------------------------------------------------------------------------------- */

static void plan_attach(struct planner_state *s, const struct mount_request *request)
{
	struct step *step = plan_add(s->plan, STEP_CHILD, STEP_ATTACH, request->pointer);

	step->in[0] = s->slots.rootfs;
	step->in[1] = request->tree;
	step->u.attach.target = request->target;
	step->u.attach.source = request->source;
	step->u.attach.nofollow = request->words.dest_nofollow;
	step->u.attach.copy_symlink = request->words.copy_symlink;
	step->u.attach.need_proc = strcmp(request->target, "/proc") == 0;
}

static void plan_new(struct planner_state *s, struct mount_request *request)
{
	unsigned long flags =
		request->words.flags & ~(unsigned long)(request->late_ro ? MS_RDONLY : 0);
	const char *label,
		*data = label_mount_data(s, request->fstype, request->words.data, &label);
	struct step *step;

	if (request->words.tmpcopyup) {
		step = plan_add(s->plan, STEP_CHILD, STEP_COPY_UP, request->pointer);
		step->in[0] = s->slots.rootfs;
		step->u.copy_up.target = request->target;
		step->u.copy_up.source = request->source;
		step->u.copy_up.flags = flags;
		step->u.copy_up.data = data;
		step->u.copy_up.propagation = request->words.propagation & MOUNT_PROPAGATIONS;
		step->u.copy_up.keep_mode = !mount_data_has(request->words.data, "mode");
		return;
	}
	step = plan_add(s->plan, STEP_CHILD, STEP_MOUNT, request->pointer);
	step->in[0] = s->slots.rootfs;
	step->u.mount.fstype = request->fstype;
	step->u.mount.source = request->source;
	step->u.mount.target = request->target;
	step->u.mount.flags = flags;
	step->u.mount.data = data;
	step->u.mount.label = label;
	step->u.mount.propagation = request->words.propagation & MOUNT_PROPAGATIONS;
	step->u.mount.keep_mode = strcmp(request->fstype, "tmpfs") == 0 &&
				  !mount_data_has(request->words.data, "mode");
	if (request->fresh_parent) {
		step->u.mount.here = true;
		step->in[1] = s->mounts[request->fresh_parent - 1].own_dir;
	}
	if (request->holds_others)
		request->own_dir = step->out =
			plan_slot(s->plan, plan_printf(s->plan, "tmpfs on %s", request->target));
}

static void plan_remount(struct planner_state *s, const struct mount_request *request)
{
	const struct mount_words *words = &request->words;
	struct step *step = plan_add(s->plan, STEP_CHILD, STEP_MOUNT, request->pointer);

	step->in[0] = s->slots.rootfs;
	step->u.mount.fstype = words->bind ? NULL : request->fstype;
	step->u.mount.source = request->source;
	step->u.mount.target = request->target;
	step->u.mount.flags = words->flags;
	step->u.mount.data = words->data;
	step->u.mount.propagation = words->propagation;
	step->u.mount.attr_set = words->attr_set;
	step->u.mount.attr_clr = words->attr_clr;
	step->u.mount.rec_attr_set = words->rec_attr_set;
	step->u.mount.rec_attr_clr = words->rec_attr_clr;
	step->u.mount.remount = true;
}

int plan_mounts(struct planner_state *s, struct err *err)
{
	for (size_t i = 0; i < s->config->mounts.n; i++) {
		struct mount_request *request = &s->mounts[i];

		switch (request->class) {
		case MOUNT_CLASS_NEW:
			plan_new(s, request);
			break;
		case MOUNT_CLASS_BIND:
			plan_attach(s, request);
			break;
		case MOUNT_CLASS_CGROUP:
			plan_cgroup_mount(s, request);
			break;
		case MOUNT_CLASS_REMOUNT:
			plan_remount(s, request);
			break;
		}
	}
	return 0;
}
