/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The container's cgroups: one in every hierarchy, since engines read their statistics from all of them, and update and
 * pause need them later. They are made, limited and handed over before anything runs in them. A config that says nothing
 * of cgroups at all gets a single one, so that its processes can be found, frozen and ended together.
 *
 * On v2, and on the v2 side of a hybrid host, the init is cloned right into its cgroup; on v1 it goes by itself, with one
 * write to each `tasks` file: a parent that moves another process waits milliseconds for the kernel's RCU. Only then can it
 * unshare the cgroup namespace, whose root is the cgroup that its maker is in.
 *
 * Spec: config-linux.md "Control groups"; rows G-1 to G-7, R-1 to R-24, K-5, K-6, K-11, K-14, K-15, K-19
 */
#include "runtime/planners.h"

#include "cgroup/knobs.h"
#include "cgroup/path.h"
#include "spec/annotations.h"

#include <linux/capability.h>
#include <string.h>

/* ---- which ones ------------------------------------------------------------------------------------------------- */

static bool has_cgroup_mount(const struct config *config)
{
	for (size_t i = 0; i < config->mounts.n; i++) {
		const char *type = config->mounts.items[i].type;

		if (type && (strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0))
			return true;
	}
	return false;
}

/*
 * Does the config say anything of cgroups? Who may make device nodes is taken to want the device rules that every
 * container has otherwise: nothing else would keep it from the host's disks.
 */
static bool wants_cgroups(const struct planner_state *s)
{
	const struct config_linux *l = &s->config->linux_;

	return s->options->cgroups == CGROUPS_SYSTEMD || (l->cgroups_path && *l->cgroups_path) ||
	       l->resources.set || s_ns_private(s, NS_CGROUP) || has_cgroup_mount(s->config) ||
	       (s->config->process.capabilities.bounding & (1ULL << CAP_MKNOD));
}

/* The one that serves best to find, freeze and end processes. */
static size_t keeper(const struct cgroup_layout *layout)
{
	int v2 = cgroup_find_v2(layout), freezer = cgroup_find(layout, "freezer");

	if (v2 >= 0)
		return (size_t)v2;
	return freezer >= 0 ? (size_t)freezer : 0;
}

/*
 * The cgroup in hierarchy @i, relative to its mount. A relative path begins at the mount; for who is not root, where its
 * own part of the hierarchy does. A unit's is where systemd makes it.
 * Return: NULL if the runtime may make none there
 */
static const char *path_in(struct planner_state *s, size_t i, const char *path)
{
	const struct cgroup_hierarchy *hierarchy = &s->facts->cgroup.items[i];
	const char *given = s->config->linux_.cgroups_path, *base = hierarchy->base;
	size_t len = base ? strlen(base) : 0;

	if (hierarchy->closed)
		return NULL;
	if (!len || plan_unit_is_in(s, i))
		return path;
	if (!given || given[0] != '/')
		return plan_printf(s->plan, "%s%s", base, path);
	return strncmp(path, base, len) == 0 && path[len] == '/' ? path : NULL;
}

/* ---- making ----------------------------------------------------------------------------------------------------- */

/* What systemd switches on itself, for a unit that is delegated. */
static bool by_systemd(const char *controller, size_t len)
{
	static const char *const known[] = { "cpu", "cpuset", "io", "memory", "pids" };

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strlen(known[i]) == len && memcmp(known[i], controller, len) == 0)
			return true;
	}
	return false;
}

/* Of the controllers "+cpu +hugetlb" that are needed those that systemd leaves to us. */
static const char *left_by_systemd(struct plan *plan, const char *needed)
{
	const char *text = "";
	size_t len;

	for (; *needed; needed += len + (needed[len] == ' ')) {
		len = strcspn(needed, " ");
		if (!by_systemd(needed + 1, len - 1))
			text = plan_printf(plan, "%s%s%.*s", text, *text ? " " : "", (int)len,
					   needed);
	}
	return text;
}

/* All that the v2 mount offers: engines want statistics and updates of everything. */
static const char *all_controllers(struct plan *plan, const char *controllers)
{
	const char *text = "";
	size_t len;

	for (; *controllers; controllers += len + (controllers[len] == ' ')) {
		len = strcspn(controllers, " ");
		text = plan_printf(plan, "%s%s+%.*s", text, *text ? " " : "", (int)len,
				   controllers);
	}
	return text;
}

/* What a v1 hierarchy's new directories need beside the container's own limits. */
static void add_v1_needs(struct cgroup_request *request, const struct cgroup_hierarchy *hierarchy,
			 const char *path, const struct cgroup_knobs *knobs)
{
	if (cgroup_has_controller(hierarchy, "cpuset")) {
		request->cpuset = true;
		request->copy_cpus = !knobs->cpus_given;
		request->copy_mems = !knobs->mems_given;
	}
	/* "/web" has no parent that could be new. */
	if (cgroup_has_controller(hierarchy, "cpu") && strchr(path + 1, '/')) {
		request->rt_runtime = knobs->rt_runtime;
		request->rt_period = knobs->rt_period;
	}
}

static void add_make(struct planner_state *s, size_t i, const char *path,
		     const struct cgroup_knobs *knobs, bool first)
{
	const struct cgroup_hierarchy *hierarchy = &s->facts->cgroup.items[i];
	const char *pointer = s->config->linux_.cgroups_path ? "/linux/cgroupsPath" : "";
	struct plan *plan = s->plan;
	struct step *step = plan_add(plan, STEP_PARENT, STEP_CGROUP_MAKE, pointer);
	struct cgroup_request *request = &step->u.cgroup_make.request;

	*request = (struct cgroup_request){
		.path = cgroup_directory(&plan->arena, hierarchy, path),
		.mount = plan_strdup(plan, hierarchy->mount),
		.v2 = hierarchy->v2,
		.enable = "",
		.needed = "",
		.exclusive = first && !s->unit.name,
		.of_unit = s->unit.name != NULL,
	};
	step->u.cgroup_make.controller =
		hierarchy->v2 ? "v2" : plan_strdup(plan, hierarchy->controllers);
	step->u.cgroup_make.sub = hierarchy->v2 ? s->cgroup_sub : NULL;
	if (hierarchy->v2 && s->unit.name) {
		request->enable = left_by_systemd(plan, knobs->v2_needed);
		request->needed = request->enable;
	} else if (hierarchy->v2) {
		/* On a hybrid host the v2 mount is for what v1 doesn't have; there only what is asked for is touched. */
		request->needed = knobs->v2_needed;
		request->enable = s->facts->cgroup.mode == CGROUP_V2 && wants_cgroups(s)
					  ? all_controllers(plan, hierarchy->controllers)
					  : knobs->v2_needed;
	} else {
		add_v1_needs(request, hierarchy, path, knobs);
	}
	step->out = plan_slot(plan, plan_printf(plan, "cgroup %s", step->u.cgroup_make.controller));

	s->cgroup_paths[i] = request->path;
	s->cgroup_dirs[i] = step->out;
	if (hierarchy->v2)
		s->slots.cgroup2 = step->out;
}

static void add_write(struct planner_state *s, const struct cgroup_write *write)
{
	struct step *step = plan_add(s->plan, STEP_PARENT, STEP_CGROUP_WRITE, write->pointer);

	step->in[0] = s->cgroup_dirs[write->hierarchy];
	step->u.cgroup_write.dir = s->cgroup_paths[write->hierarchy];
	step->u.cgroup_write.write = *write;
	/* The arena of the plan made the new texts; the others still belong to the config. */
	step->u.cgroup_write.write.file = plan_strdup(s->plan, write->file);
	step->u.cgroup_write.write.value = plan_strdup(s->plan, write->value);
}

static void add_writes(struct planner_state *s, const struct cgroup_knobs *knobs, bool after_clone)
{
	for (size_t i = 0; i < knobs->n; i++) {
		if ((knobs->items[i].after_clone || plan_unit_waits(s, &knobs->items[i])) ==
		    after_clone)
			add_write(s, &knobs->items[i]);
	}
}

static void add_device_filter(struct planner_state *s, const struct cgroup_knobs *knobs)
{
	int v2 = cgroup_find_v2(&s->facts->cgroup);
	struct step *step;

	if (!knobs->n_device_program)
		return;
	step = plan_add(s->plan, STEP_PARENT, STEP_CGROUP_DEVICES, knobs->device_pointer);
	step->in[0] = s->cgroup_dirs[v2];
	step->u.cgroup_devices.dir = s->cgroup_paths[v2];
	step->u.cgroup_devices.insns = knobs->device_program;
	step->u.cgroup_devices.n = knobs->n_device_program;
}

/* ---- giving it to the container's user --------------------------------------------------------------------------- */

static bool has_option(const struct config_mount *mount, const char *word)
{
	for (size_t i = 0; i < mount->options.n; i++) {
		if (strcmp(mount->options.items[i], word) == 0)
			return true;
	}
	return false;
}

/* Return: index of the mount that shows the container its cgroup with the right to write, or mounts.n */
static size_t writable_cgroup_mount(const struct config *config)
{
	size_t i;

	for (i = 0; i < config->mounts.n; i++) {
		const struct config_mount *mount = &config->mounts.items[i];

		if (strcmp(mount->destination, "/sys/fs/cgroup") == 0 && mount->source &&
		    strcmp(mount->source, "cgroup") == 0 && !has_option(mount, "ro"))
			break;
	}
	return i;
}

/* Return: false if the container's user has no id on the host that we know */
static bool host_uid(const struct config *config, uint32_t *ret)
{
	const struct id_map_list *maps = &config->linux_.uid_mappings;
	uint32_t uid = config->process.uid;

	if (config->linux_.namespaces[NS_USER].mode == NS_ABSENT) {
		*ret = uid;
		return true;
	}
	if (config->linux_.namespaces[NS_USER].mode == NS_JOIN)
		return false;
	for (size_t i = 0; i < maps->n; i++) {
		if (uid >= maps->items[i].container_id &&
		    uid - maps->items[i].container_id < maps->items[i].size) {
			*ret = maps->items[i].host_id + (uid - maps->items[i].container_id);
			return true;
		}
	}
	return false;
}

/*
 * Only where it is safe (v2) and where the container sees its cgroup alone (own namespace) and may write to it.
 * Spec: config-linux.md "Cgroup ownership"; row G-7
 */
static void add_delegation(struct planner_state *s)
{
	size_t mount = writable_cgroup_mount(s->config);
	int v2 = cgroup_find_v2(&s->facts->cgroup);
	struct step *step;
	uint32_t uid;

	if (s->facts->cgroup.mode != CGROUP_V2)
		return;
	if (!s->delegate && (!s_ns_new(s, NS_CGROUP) || mount == s->config->mounts.n))
		return;
	/* Made by us, it belongs to us; for root's own container that is all there is to do. */
	if (!host_uid(s->config, &uid) || uid == s->facts->euid)
		return;
	step = plan_add(s->plan, STEP_PARENT, STEP_CGROUP_CHOWN,
			s->delegate ? "/annotations/" ANNOTATION_DELEGATE
				    : plan_printf(s->plan, "/mounts/%zu", mount));
	step->in[0] = s->slots.cgroup2;
	step->u.cgroup_chown.dir =
		s->cgroup_sub ? plan_printf(s->plan, "%s/%s", s->cgroup_paths[v2], s->cgroup_sub)
			      : s->cgroup_paths[v2];
	step->u.cgroup_chown.uid = uid;
	step->u.cgroup_chown.gid = (uint32_t)-1;
}

/* ---- the planners ----------------------------------------------------------------------------------------------- */

/* What there is to write; nothing for a config that says nothing. */
static int read_knobs(struct planner_state *s, struct cgroup_knobs *ret, struct err *err)
{
	*ret = (struct cgroup_knobs){ .v2_needed = "" };
	if (!wants_cgroups(s) || s->options->cgroups == CGROUPS_DISABLED)
		return 0;
	return cgroup_knobs(&s->plan->arena, &s->config->linux_.resources, &s->facts->cgroup, ret,
			    err);
}

/* "slice:prefix:name" is what engines write for the systemd manager; without it, it is a path like any other (row G-4). */
static void warn_of_systemd_form(struct planner_state *s)
{
	const char *path = s->config->linux_.cgroups_path, *colon = path ? strchr(path, ':') : NULL;

	if (colon && strchr(colon + 1, ':') && !strchr(path, '/'))
		plan_warn(s->plan,
			  "linux.cgroupsPath \"%s\" looks like slice:prefix:name for systemd, and "
			  "is used as a path",
			  path);
}

static void plan_without_cgroups(struct planner_state *s, const char *why)
{
	if (s->config->linux_.cgroups_path)
		plan_ignore(s->plan, "/linux/cgroupsPath", why);
	plan_warn(s->plan, "%s: the container stays in the runtime's own cgroup", why);
}

/* Engines that ask for no cgroups may leave limits in the config all the same. */
static void plan_disabled(struct planner_state *s)
{
	for (size_t i = 0; i < s->facts->cgroup.n; i++)
		s->cgroup_dirs[i] = SLOT_NONE;
	if (s->config->linux_.resources.set)
		plan_ignore(s->plan, "/linux/resources",
			    "cgroups are disabled, so there is nothing to write limits to");
	plan_without_cgroups(s, "cgroups are disabled");
}

static int plan_path(struct planner_state *s, const char **ret, struct err *err)
{
	int r;

	if (s->options->cgroups == CGROUPS_SYSTEMD)
		r = plan_unit_path(s, ret, err);
	else
		r = cgroup_path_clean(&s->plan->arena, s->config->linux_.cgroups_path,
				      s->options->id, ret, err);
	if (r < 0)
		return r;
	if (!s->unit.name)
		warn_of_systemd_form(s);
	return plan_cgroup_sub(s, &s->cgroup_sub, err);
}

/*
 * A limit that would be written where the runtime may make no cgroup is an error, whoever sets it; that there is no cgroup
 * at all is one only if the config has no other way to be obeyed (row K-6).
 */
static int check_writable(struct planner_state *s, const struct cgroup_knobs *knobs, bool made,
			  struct err *err)
{
	const char *path = s->config->linux_.cgroups_path;

	for (size_t i = 0; i < knobs->n; i++) {
		const struct cgroup_write *write = &knobs->items[i];

		if (s->cgroup_dirs[write->hierarchy] != SLOT_NONE)
			continue;
		err_user_code(
			err, -EACCES,
			"write \"%s\": cgroup \"%s\" is not below one that was delegated to uid %u",
			write->file, path ? path : s->options->id, s->facts->euid);
		err_hint(err, "leave linux.cgroupsPath out, or begin it with \"%s\"",
			 s->facts->cgroup.items[write->hierarchy].base);
		return err_at(err, write->pointer);
	}
	if (made || !s->facts->rootless)
		return 0;
	if (s->options->strict_cgroups) {
		err_user_code(err, -EACCES, "make a cgroup: none was delegated to uid %u",
			      s->facts->euid);
		return err_hint(err, "without \"--rootless false\" the container would stay in the "
				     "runtime's own");
	}
	if (path)
		plan_ignore(s->plan, "/linux/cgroupsPath",
			    "no cgroup was delegated to the caller; the container stays in the "
			    "runtime's own");
	return 0;
}

int plan_cgroup_make(struct planner_state *s, struct err *err)
{
	const struct cgroup_layout *layout = &s->facts->cgroup;
	struct cgroup_knobs knobs;
	const char *path;
	bool made = false;
	int r;

	s->cgroup_paths = arena_array(&s->plan->arena, layout->n, sizeof(*s->cgroup_paths));
	s->cgroup_dirs = arena_array(&s->plan->arena, layout->n, sizeof(*s->cgroup_dirs));
	if (s->options->cgroups == CGROUPS_DISABLED) {
		plan_disabled(s);
		return 0;
	}
	r = read_knobs(s, &knobs, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < knobs.n_notes; i++)
		plan_ignore(s->plan, knobs.notes[i].pointer, knobs.notes[i].why);
	if (layout->n == 0 && s->options->cgroups != CGROUPS_SYSTEMD) {
		plan_without_cgroups(s, "no cgroup filesystem is mounted");
		return 0;
	}

	r = plan_path(s, &path, err);
	if (r == 0 && s->unit.name)
		r = plan_unit_start(s, &knobs, path, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < layout->n; i++) {
		const char *here = path_in(s, i, path);

		s->cgroup_dirs[i] = SLOT_NONE;
		if (here && (wants_cgroups(s) || i == keeper(layout)))
			add_make(s, i, here, &knobs, !made);
		made |= s->cgroup_dirs[i] != SLOT_NONE;
	}
	r = check_writable(s, &knobs, made, err);
	if (r < 0)
		return r;
	add_writes(s, &knobs, false);
	add_device_filter(s, &knobs);
	plan_cgroup_sub_make(s);
	add_delegation(s);
	return 0;
}

int plan_cgroup_entered(struct planner_state *s, struct err *err)
{
	struct cgroup_knobs knobs;
	int r;

	r = read_knobs(s, &knobs, err);
	if (r < 0)
		return r;
	plan_unit_entered(s);
	add_writes(s, &knobs, true);
	plan_cgroup_sub_entered(s);
	return 0;
}

int plan_cgroup_join(struct planner_state *s, struct err *err)
{
	const struct config_namespace *ns = &s->config->linux_.namespaces[NS_CGROUP];
	const struct cgroup_layout *layout = &s->facts->cgroup;
	struct step *step;
	int r;

	r = plan_cgroup_entered(s, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < layout->n; i++) {
		if (layout->items[i].v2 || s->cgroup_dirs[i] == SLOT_NONE)
			continue;
		step = plan_add(s->plan, STEP_CHILD, STEP_CGROUP_JOIN, "");
		step->in[0] = s->cgroup_dirs[i];
		step->u.cgroup_join.dir = s->cgroup_paths[i];
		step->u.cgroup_join.tasks = "tasks";
	}
	if (ns->mode == NS_NEW)
		plan_add(s->plan, STEP_CHILD, STEP_CGROUP_NS, plan_strdup(s->plan, ns->pointer));
	return 0;
}
