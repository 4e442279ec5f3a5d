/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * update: other limits for a container that is there.
 *
 * Under the lock: merge what is given with the saved config.json, plan the writes, write the new config.json beside the old
 * one, put everything into force, and at last let the new one take its place. What fails on the way is taken back. So the
 * saved config always says what is in force, and whoever reads it next (update, exec, restore) starts from there.
 */
#include "runtime/container.h"

#include "cgroup/make.h"
#include "cgroup/unit_properties.h"
#include "cgroup/update.h"
#include "cgroup/update_devices.h"
#include "os/dir.h"
#include "os/file.h"
#include "runtime/cgroups.h"
#include "runtime/cleanup.h"
#include "runtime/rdt.h"
#include "runtime/record.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

struct update {
	struct arena *arena;
	const struct container *container;
	struct resources_change change;
	struct cgroups cgroups;
	struct cgroup_changes limits;
	bool has_devices;
	struct device_rules devices;
	bool unit_set;          /* systemd has the new values */
	int rdt;                /* the class of service's directory, if that changes */
	const char *rdt_before; /* lines that take it back */
};

/* ---- plan ------------------------------------------------------------------------------------------------------- */

/* Places in the error count from the change, as its writer sees it. */
static int place_error(struct update *u, struct err *err)
{
	size_t len = strlen(KNOB_ROOT);

	if (strncmp(err->pointer, KNOB_ROOT, len) == 0)
		memmove(err->pointer, err->pointer + len, strlen(err->pointer + len) + 1);
	if (u->cgroups.layout.n < u->cgroups.n_host && err->kind == ERR_USER)
		err_hint(err,
			 "the container has a cgroup in %zu of the host's %zu hierarchies only: "
			 "its config.json "
			 "asked for no limits",
			 u->cgroups.layout.n, u->cgroups.n_host);
	return err->code;
}

static int plan(struct update *u, struct err *err)
{
	int r;

	r = cgroups_find(u->arena, u->container, &u->cgroups, err);
	if (r < 0)
		return r;
	r = cgroup_changes_plan(u->arena, &u->change, &u->cgroups.layout, &u->limits, err);
	u->has_devices = resources_is_given(&u->change, "/devices");
	if (r == 0 && u->has_devices)
		r = device_rules_read(u->arena, &u->change.after.devices, &u->devices, err);
	return r < 0 ? place_error(u, err) : 0;
}

/* ---- act -------------------------------------------------------------------------------------------------------- */

static bool has_file(const struct cgroup_dir *dir, const struct cgroup_changes *limits,
		     size_t index)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < limits->n; i++) {
		if (limits->items[i].write.hierarchy != index)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir->path, limits->items[i].write.file);
		if (os_exists_at(AT_FDCWD, path) != 1)
			return false;
	}
	return true;
}

/* On a hybrid host only what create needed of the v2 hierarchy's controllers is on. */
static int enable_controllers(struct update *u, struct err *err)
{
	int v2 = cgroup_find_v2(&u->cgroups.layout);
	struct cgroup_request request = { .v2 = true,
					  .enable = u->limits.v2_needed,
					  .needed = u->limits.v2_needed };

	if (v2 < 0 || !*request.enable || has_file(&u->cgroups.dirs[v2], &u->limits, (size_t)v2))
		return 0;
	request.path = u->cgroups.dirs[v2].path;
	request.mount = u->cgroups.dirs[v2].mount;
	return cgroup_enable_controllers(&request, err);
}

/*
 * Of a container in a unit systemd has to know the values too, or it would write the old ones with its next daemon-reload.
 * @back: those from before
 */
static int set_unit(const struct update *u, bool back, struct err *err)
{
	const struct unit *unit = &u->container->unit;
	struct cgroup_write *writes = arena_array(u->arena, u->limits.n, sizeof(*writes));
	struct unit_property_list list = { 0 };
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < u->limits.n; i++) {
		const struct cgroup_change *change = &u->limits.items[i];

		if (back && !change->before)
			continue;
		writes[n] = change->write;
		if (back)
			writes[n].value = change->before;
		n++;
	}
	unit_properties_of_writes(u->arena, writes, n, &list);
	if (u->has_devices && !unit->user) {
		unit_properties_reset_devices(u->arena, &list);
		r = unit_properties_of_devices(
			u->arena, back ? &u->change.before.devices : &u->change.after.devices,
			&list, err);
	}
	return r < 0 || list.n == 0 ? r : unit_set(unit, &list, err);
}

/* The file has the last word on values that systemd rounds. */
static int tell_systemd(struct update *u, struct err *err)
{
	int r;

	if (!u->container->unit.name)
		return 0;
	r = set_unit(u, false, err);
	if (r == 0) {
		u->unit_set = true;
		r = cgroup_changes_again(&u->limits, u->cgroups.dirs, err);
	}
	return r;
}

static void take_back(struct update *u, struct err *err)
{
	struct err ignored = ERR_INIT;

	if (u->unit_set && set_unit(u, true, &ignored) < 0)
		err_hint(err, "the properties of unit \"%s\" are changed already",
			 u->container->unit.name);
	cgroup_changes_undo(&u->limits, u->cgroups.dirs, err);
}

static int act(struct update *u, struct err *err)
{
	int r;

	r = enable_controllers(u, err);
	if (r == 0)
		r = cgroup_changes_apply(u->arena, &u->limits, u->cgroups.dirs, err);
	if (r < 0)
		return place_error(u, err);
	r = tell_systemd(u, err);
	if (r == 0 && u->has_devices) {
		r = cgroup_devices_update(u->arena, &u->devices, &u->cgroups.layout,
					  u->cgroups.dirs, err);
		if (r < 0)
			err_at(err, KNOB_ROOT "/devices");
	}
	if (r < 0) {
		take_back(u, err);
		return place_error(u, err);
	}
	return 0;
}

/* ---- Intel RDT -------------------------------------------------------------------------------------------------- */

static void undo_rdt(const struct update *u)
{
	struct err ignored = ERR_INIT;

	if (u->rdt >= 0 && u->rdt_before)
		(void)!rdt_write(u->rdt, u->container->rdt.group, u->rdt_before, &ignored);
}

static int check_rdt(const struct update *u, const struct config_intel_rdt *rdt, struct err *err)
{
	const char *bad = NULL;

	if (!u->container->rdt.group) {
		err_user(err, "change the class of service of Intel RDT: the container has none");
		return err_hint(err, "it needs linux.intelRdt in its config.json");
	}
	if (rdt->l3_cache_schema && !config_is_l3_schema(rdt->l3_cache_schema))
		bad = rdt->l3_cache_schema;
	if (rdt->mem_bw_schema && !config_is_mb_schema(rdt->mem_bw_schema))
		bad = rdt->mem_bw_schema;
	if (!bad)
		return 0;
	err_user(err,
		 "change the class of service of Intel RDT: \"%.100s\" is no schema of that kind",
		 bad);
	return err_hint(
		err,
		"cache is given by lines like L3:0=f;1=ff, bandwidth by one like MB:0=50;1=70");
}

static int begin_rdt(struct update *u, const struct config_intel_rdt *rdt, struct err *err)
{
	const char *group = u->container->rdt.group, *lines = rdt_lines(u->arena, rdt);
	int r;

	if (!*lines)
		return 0;
	r = check_rdt(u, rdt, err);
	if (r < 0)
		return r;
	u->rdt = os_dir_open(group);
	if (u->rdt < 0)
		return err_set(err, u->rdt, "open class of service \"%s\"", group);
	r = rdt_before(u->arena, u->rdt, group, lines, &u->rdt_before, err);
	if (r < 0)
		return r;
	r = rdt_write(u->rdt, group, lines, err);
	if (r < 0)
		undo_rdt(u);
	return r;
}

/* Everything but the exchange of the two files can fail for many reasons, so it comes first. */
static int act_and_save(struct update *u, int dir, struct err *err)
{
	const char *config = u->change.config;
	int r;

	unlinkat(dir, RECORD_CONFIG_TEMPORARY, 0);
	r = os_file_make_at(dir, RECORD_CONFIG_TEMPORARY, config, u->change.config_len, 0600);
	if (r < 0)
		err_set(err, r, "save the new limits");
	else
		r = act(u, err);
	if (r == 0 && renameat(dir, RECORD_CONFIG_TEMPORARY, dir, RECORD_CONFIG) < 0) {
		r = err_sys(err, "save the new limits");
		take_back(u, err);
	}
	if (r < 0)
		unlinkat(dir, RECORD_CONFIG_TEMPORARY, 0);
	return r;
}

static void report_ignored(struct update *u, const struct report *report)
{
	for (size_t i = 0; report && i < u->change.ignored.n; i++) {
		const struct config_ignored *ignored = &u->change.ignored.items[i];

		report->warning(report->to,
				arena_printf(u->arena, "ignore %s: %s%s%s%s", ignored->pointer,
					     ignored->why, ignored->near ? " (did you mean " : "",
					     ignored->near ? ignored->near : "",
					     ignored->near ? "?)" : ""));
	}
}

/* Row C-9; runc's words for one that has stopped */
int container_update(const char *root, const char *id, const char *text, size_t len,
		     const struct config_intel_rdt *rdt, const struct report *report,
		     struct err *err)
{
	defer_arena struct arena arena = { 0 };
	defer_close int dir = -EBADF;
	struct container c;
	struct update u = { .arena = &arena, .container = &c, .rdt = -EBADF };
	size_t config_len;
	char *config;
	int r;

	r = container_read_locked(&arena, root, id, &dir, &c, err);
	if (r < 0)
		return r;
	if (c.status == CONTAINER_STOPPED || c.status == CONTAINER_CREATING)
		return err_user_code(err, -ESRCH, "container not running");
	r = cleanup_config_text(&arena, dir, &config, &config_len, err);
	if (r == 0)
		r = resources_change_read(&arena, config, config_len, text, len, rdt, &u.change,
					  err);
	if (r < 0)
		return r;
	report_ignored(&u, report);
	r = plan(&u, err);
	if (r == 0)
		r = begin_rdt(&u, rdt, err);
	if (r == 0) {
		r = act_and_save(&u, dir, err);
		if (r < 0)
			undo_rdt(&u);
	}
	defer_close_fn(&u.rdt);
	return r;
}
