/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * restore: what CRIU is asked for, and where it comes in the list. The planners of cgroups, hooks and the record are
 * create's; what the container's process would do itself is in the image.
 */
#include "runtime/criu_mounts.h"
#include "runtime/criu_points.h"
#include "runtime/plan_mount.h"

#include "runtime/criu.h"
#include "os/path.h"
#include "runtime/notify.h"

#include <sched.h>
#include <string.h>

#define LOG_NAME "restore.log"

/* A container that comes back without what its config asks for is worse than one that doesn't. */
int plan_restorable(struct planner_state *s, struct err *err)
{
	const struct config_linux *l = &s->config->linux_;
	const char *what = l->intel_rdt.set ? "intelRdt" : l->net_devices.n ? "netDevices" : NULL;

	if (!what)
		return 0;
	err_user_code(err, -EOPNOTSUPP, "bring a container with linux.%s back: not supported",
		      what);
	return err_at(err, l->intel_rdt.set ? "/linux/intelRdt" : "/linux/netDevices");
}

/* ---- the request -------------------------------------------------------------------------------------------- */

static int add_namespace(struct planner_state *s, enum ns_type type, struct criu_options *o,
			 struct criu_files *files, struct err *err)
{
	const struct config_namespace *ns = &s->config->linux_.namespaces[type];
	const char *key = criu_namespace_key(type), *pointer = plan_strdup(s->plan, ns->pointer);

	if (ns->mode != NS_JOIN)
		return 0;
	if (key) {
		files->items[files->n++] =
			(struct criu_file){ key, plan_strdup(s->plan, ns->path), pointer };
		return 0;
	}
	if (type == NS_CGROUP) {
		err_user_code(
			err, -EOPNOTSUPP,
			"CRIU can't bring a process back into a cgroup namespace that is there already");
		err_hint(err, "leave the path of the cgroup namespace out");
		return err_at(err, pointer);
	}
	criu_pairs_add(&s->plan->arena, &o->join_ns, ns_files[type], plan_strdup(s->plan, ns->path),
		       0);
	return 0;
}

/*
 * Where what was the container's cgroup in the image is now: by controller, and for cgroup2, which has none by name, the
 * one root for all that is not named.
 */
static void add_cgroup_roots(struct planner_state *s, struct criu_options *o)
{
	const struct cgroup_layout *layout = &s->facts->cgroup;

	for (size_t i = 0; i < layout->n; i++) {
		const struct cgroup_hierarchy *h = &layout->items[i];
		const char *controller = h->controllers, *path;
		size_t len;

		if (!s->cgroup_paths[i])
			continue;
		path = plan_strdup(s->plan, s->cgroup_paths[i] + strlen(h->mount));
		if (h->v2) {
			if (s->cgroup_sub)
				path = plan_printf(s->plan, "%s/%s", path, s->cgroup_sub);
			criu_pairs_add(&s->plan->arena, &o->cg_root, NULL, path, 0);
			continue;
		}
		for (; *controller; controller += len + (controller[len] == ',')) {
			len = strcspn(controller, ",");
			criu_pairs_add(&s->plan->arena, &o->cg_root,
				       plan_printf(s->plan, "%.*s", (int)len, controller), path, 0);
		}
	}
}

static void set_options(struct planner_state *s, struct criu_options *o)
{
	const struct restore_options *from = s->options->restore;

	o->log_level = 4;
	o->log_file = LOG_NAME;
	o->evasive_devices = o->rst_sibling = o->notify_scripts = o->orphan_pts_master =
		o->manage_cgroups = true;
	o->manage_cgroups_mode = from->manage_cgroups;
	o->tcp_established = from->tcp_established;
	o->tcp_close = from->tcp_close;
	o->ext_unix_sk = from->ext_unix_sk;
	o->shell_job = from->shell_job;
	o->file_locks = from->file_locks;
	o->auto_dedup = from->auto_dedup;
	o->empty_ns = from->empty_network ? CLONE_NEWNET : CRIU_NONE;
	o->lsm_profile = plan_strdup(s->plan, from->lsm_profile);
	o->lsm_mount_context = plan_strdup(s->plan, from->lsm_mount_context);
	o->config_file = plan_strdup(s->plan, criu_config_file(&s->config->annotations));
}

/* ---- mount points ------------------------------------------------------------------------------------------- */

/*
 * Where the mount point of entry @index is to be made: in the rootfs, or in what the innermost bind around it shows. What is on
 * a filesystem of the container's own comes out of the image, or was never made by anybody (/proc).
 */
static bool find_base(const struct planner_state *s, size_t index, struct criu_point *point)
{
	const char *target = s->mounts[index].target;

	point->base = s->options->rootfs;
	point->path = target;
	point->on_rootfs = true;
	for (size_t i = 0; i < index; i++) {
		const struct mount_request *other = &s->mounts[i];

		if (!path_is_below(target, other->target))
			continue;
		if (other->class != MOUNT_CLASS_BIND || strcmp(target, other->target) == 0)
			return false;
		point->base = other->source;
		point->path = target + strlen(other->target);
		point->on_rootfs = false;
	}
	return true;
}

static struct criu_points *list_points(struct planner_state *s)
{
	struct criu_points *points = arena_alloc(&s->plan->arena, sizeof(*points));

	points->items = arena_array(&s->plan->arena, s->config->mounts.n, sizeof(*points->items));
	for (size_t i = 0; i < s->config->mounts.n; i++) {
		const struct mount_request *request = &s->mounts[i];
		struct criu_point point = { .pointer = request->pointer };

		if (request->class == MOUNT_CLASS_REMOUNT || !find_base(s, i, &point))
			continue;
		point.base = plan_strdup(s->plan, point.base);
		point.source = request->class == MOUNT_CLASS_BIND ? request->source : NULL;
		points->items[points->n++] = point;
	}
	return points;
}

/* ---- the steps ---------------------------------------------------------------------------------------------- */

static int add_mounts(struct planner_state *s, struct criu_options *o, struct err *err)
{
	struct criu_mounts mounts;
	int r;

	r = criu_mounts_list(s,
			     plan_printf(s->plan, "%s/" NOTIFY_DIR, s->options->restore->state_dir),
			     &mounts, err);
	for (size_t i = 0; r == 0 && i < mounts.n; i++) {
		if (mounts.items[i].source)
			criu_pairs_add(&s->plan->arena, &o->ext_mnt, mounts.items[i].name,
				       plan_strdup(s->plan, mounts.items[i].source), 0);
	}
	return r;
}

static struct step *add_step(struct planner_state *s, enum step_kind kind)
{
	struct step *step = plan_add(s->plan, STEP_PARENT, kind, "");

	if (kind == STEP_CRIU_NAMESPACES || kind == STEP_CRIU_PROCESSES)
		step->in[0] = s->slots.console_socket;
	return step;
}

int plan_criu(struct planner_state *s, struct err *err)
{
	const struct restore_options *from = s->options->restore;
	struct criu_options *o = arena_alloc(&s->plan->arena, sizeof(*o));
	struct criu_files *files = arena_alloc(&s->plan->arena, sizeof(*files));
	struct step *step;
	int r;

	*o = CRIU_OPTIONS_INIT;
	set_options(s, o);
	r = criu_stdio_inherit(&s->plan->arena, from->descriptors, from->descriptors_len,
			       &o->inherit_fd, err);
	if (r < 0)
		return err_context(err, "read \"%s/" CRIU_DESCRIPTORS "\"", from->image_path);
	for (int type = 0; r == 0 && type < NS_TYPES; type++)
		r = add_namespace(s, (enum ns_type)type, o, files, err);
	if (r == 0)
		r = add_mounts(s, o, err);
	if (r < 0)
		return r;
	add_cgroup_roots(s, o);

	step = add_step(s, STEP_CRIU_START);
	step->u.criu_start.options = o;
	step->u.criu_start.namespaces = files;
	step->u.criu_start.points = list_points(s);
	if (s->facts->cgroup.mode == CGROUP_V2)
		step->u.criu_start.cgroup2 = plan_strdup(s->plan, s->facts->cgroup.items[0].mount);
	step->u.criu_start.image = plan_strdup(s->plan, from->image_path);
	step->u.criu_start.log_path = plan_printf(
		s->plan, "%s/" LOG_NAME, from->work_path ? from->work_path : from->image_path);
	step->u.criu_start.image_dir = from->image_dir;
	step->u.criu_start.work_dir = from->work_dir;
	add_step(s, STEP_CRIU_NAMESPACES);
	return 0;
}

/* The record before they run: whoever looks for a container that runs must find it. */
int plan_criu_processes(struct planner_state *s, struct err *err)
{
	add_step(s, STEP_CRIU_PROCESSES);
	plan_unit_joined(s);
	plan_tell_pid(s);
	plan_add(s->plan, STEP_PARENT, STEP_STATE_WRITE, "")->u.state_write.status = "running";
	add_step(s, STEP_CRIU_RELEASE);
	return 0;
}

int plan_restored(struct planner_state *s, struct err *err)
{
	return plan_poststart_hooks(s, STEP_PARENT, err);
}
