/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cgroups by systemd: the container's is that of a unit, which systemd makes, limits and keeps.
 *
 * systemd makes a scope only around a process that is there, and takes it away when the last one is gone. So START_UNIT
 * forks a process that does nothing, has the scope made around it, and only then are the limits written and the init
 * cloned right into the cgroup, as everywhere else; once it is in, the other one has done its part. Nothing of
 * the container ever runs outside of its limits, and the order of all other steps is the same for every manager.
 *
 * Each limit is given to systemd as a property and written by file as well: see cgroup/unit_properties.h.
 *
 * Rows: G-4, K-4, K-5, K-6, K-16, K-18; annotations of requirements 3.1; docs/design/008-systemd.md
 */
#include "runtime/planners.h"

#include "cgroup/knobs.h"
#include "cgroup/unit_name.h"
#include "cgroup/unit_properties.h"
#include "spec/annotations.h"

#include <string.h>

/* ---- where ------------------------------------------------------------------------------------------------------ */

/* The hierarchy in which systemd keeps its units: the v2 one, else v1's "name=systemd"; -1 if there is neither. */
static int units_hierarchy(const struct cgroup_layout *layout)
{
	int v2 = cgroup_find_v2(layout);

	return v2 >= 0 ? v2 : cgroup_find(layout, "name=systemd");
}

bool plan_unit_is_in(const struct planner_state *s, size_t i)
{
	return s->unit.name && units_hierarchy(&s->facts->cgroup) == (int)i;
}

static int no_manager(const struct facts *facts, struct err *err)
{
	/* Only where both are in a part of the hierarchy that is the user's may the init be cloned into the unit. */
	if (facts->systemd && facts->rootless && facts->cgroup.n) {
		err_user_code(err, -EACCES,
			      "make cgroups with systemd: uid %u's own manages no cgroup that "
			      "this runtime is in",
			      facts->euid);
		return err_hint(err, "systemd-run --user --scope starts it in one");
	}
	err_user(err, "make cgroups with systemd: it doesn't manage this host");
	return err_hint(err, "leave --systemd-cgroup out (--cgroup-manager cgroupfs): "
			     "cgroups are then made by file; for "
			     "an engine: its cgroup driver or cgroup_manager is cgroupfs");
}

int plan_unit_path(struct planner_state *s, const char **ret_path, struct err *err)
{
	const struct facts *facts = s->facts;
	int home = units_hierarchy(&facts->cgroup);
	struct unit_name name;
	int r;

	if (!facts->systemd || home < 0)
		return no_manager(facts, err);
	r = unit_name_parse(&s->plan->arena, s->config->linux_.cgroups_path, s->options->id,
			    facts->rootless, &name, err);
	if (r < 0)
		return r;
	s->unit = (struct unit){ .name = plan_strdup(s->plan, name.unit), .user = facts->rootless };
	*ret_path =
		plan_printf(s->plan, "%s%s",
			    unit_manager_path(&s->plan->arena, facts->cgroup.items[home].own_path,
					      facts->rootless, facts->euid),
			    name.path);
	return 0;
}

/* ---- properties ------------------------------------------------------------------------------------------------- */

static void add(struct planner_state *s, struct unit_property_list *list, const char *name,
		const char *signature, const char *word)
{
	unit_property_add(&s->plan->arena, list, "", name, signature, &word, 1);
}

static void add_basics(struct planner_state *s, struct unit_property_list *list,
		       const struct unit_name *name)
{
	static const char *const accounting[] = { "CPUAccounting", "MemoryAccounting",
						  "TasksAccounting", "IOAccounting" };

	add(s, list, "Description", "s", plan_printf(s->plan, "tare container %s", s->options->id));
	if (!name->is_slice) {
		add(s, list, "Slice", "s", plan_strdup(s->plan, name->slice));
		/* What is below the unit is ours, and all controllers are switched on for it. */
		add(s, list, "Delegate", "b", "true");
	}
	/* Ordering against the basic targets would end containers at the wrong time of a shutdown. */
	add(s, list, "DefaultDependencies", "b", "false");
	add(s, list, "CollectMode", "s", "inactive-or-failed");
	for (size_t i = 0; i < ARRAY_LEN(accounting); i++)
		add(s, list, accounting[i], "b", "true");
}

static int add_annotations(struct planner_state *s, struct unit_property_list *list,
			   struct err *err)
{
	const struct key_value_list *annotations = &s->config->annotations;
	size_t prefix = strlen(ANNOTATION_UNIT_PROPERTY);

	for (size_t i = 0; i < annotations->n; i++) {
		const char *key = annotations->items[i].key;
		int r;

		if (strncmp(key, ANNOTATION_UNIT_PROPERTY, prefix) != 0)
			continue;
		r = unit_property_of_annotation(&s->plan->arena, plan_strdup(s->plan, key + prefix),
						annotations->items[i].value, list, err);
		if (r < 0)
			return err_at(err, plan_printf(s->plan, "/annotations/%s", key));
	}
	return 0;
}

/* A limit of one task would keep the init out while somebody holds the place for it. */
static void put_off_tasks(struct planner_state *s, struct unit_property_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct unit_property *item = &list->items[i];

		if (strcmp(item->name, "TasksMax") != 0 || strcmp(item->words.items[0], "1") != 0)
			continue;
		unit_property_add(&s->plan->arena, &s->unit_later, item->pointer, item->name,
				  item->signature, item->words.items, item->words.n);
		unit_property_remove(list, "TasksMax");
		return;
	}
}

bool plan_unit_waits(const struct planner_state *s, const struct cgroup_write *write)
{
	return s->unit.name && s->unit_holder != SLOT_NONE &&
	       strcmp(write->file, "pids.max") == 0 &&
	       (strcmp(write->value, "0") == 0 || strcmp(write->value, "1") == 0);
}

/* The words of a list still point into the config where they are the config's own. */
static void own_words(struct plan *plan, struct unit_property_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct unit_property *item = &list->items[i];

		item->pointer = plan_strdup(plan, item->pointer);
		for (size_t k = 0; k < item->words.n; k++)
			item->words.items[k] = plan_strdup(plan, item->words.items[k]);
	}
}

static int properties(struct planner_state *s, const struct cgroup_knobs *knobs,
		      const struct unit_name *name, struct unit_property_list *list,
		      struct err *err)
{
	struct arena *arena = &s->plan->arena;
	int r;

	add_basics(s, list, name);
	unit_properties_of_writes(arena, knobs->items, knobs->n, list);
	/* A user's manager may not load filters, and neither may we then. */
	if (!s->unit.user) {
		r = unit_properties_of_devices(arena, &s->config->linux_.resources.devices, list,
					       err);
		if (r < 0)
			return r;
	}
	r = add_annotations(s, list, err);
	if (r < 0)
		return r;
	if (!name->is_slice)
		put_off_tasks(s, list);
	own_words(s->plan, list);
	own_words(s->plan, &s->unit_later);
	return 0;
}

int plan_unit_start(struct planner_state *s, const struct cgroup_knobs *knobs, const char *path,
		    struct err *err)
{
	struct unit_property_list list = { 0 };
	struct unit_name name;
	struct step *step;
	int r;

	r = unit_name_parse(&s->plan->arena, s->config->linux_.cgroups_path, s->options->id,
			    s->unit.user, &name, err);
	if (r == 0)
		r = properties(s, knobs, &name, &list, err);
	if (r < 0)
		return r;
	step = plan_add(s->plan, STEP_PARENT, STEP_UNIT_START,
			s->config->linux_.cgroups_path ? "/linux/cgroupsPath" : "");
	step->u.unit_start.unit = s->unit;
	step->u.unit_start.properties = list;
	step->u.unit_start.cgroup = path;
	step->u.unit_start.is_slice = name.is_slice;
	if (!name.is_slice)
		step->out = s->unit_holder = plan_slot(s->plan, "unit-holder");
	return 0;
}

/* ---- the init is in it ------------------------------------------------------------------------------------------ */

static void add_leave(struct planner_state *s)
{
	struct step *step;

	if (!s->unit.name || s->unit_holder == SLOT_NONE)
		return;
	step = plan_add(s->plan, STEP_PARENT, STEP_UNIT_LEAVE, "");
	step->in[0] = s->unit_holder;
	if (!s->unit_later.n)
		return;
	step = plan_add(s->plan, STEP_PARENT, STEP_UNIT_SET, s->unit_later.items[0].pointer);
	step->u.unit_set.unit = s->unit;
	step->u.unit_set.properties = s->unit_later;
}

void plan_unit_entered(struct planner_state *s)
{
	if (s->slots.cgroup2 != SLOT_NONE)
		add_leave(s);
}

void plan_unit_joined(struct planner_state *s)
{
	if (s->slots.cgroup2 == SLOT_NONE)
		add_leave(s);
}
