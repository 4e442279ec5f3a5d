/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done after a container has ended, and for those whose owner died before it was done. */
#include "engine/containers.h"

#include "base/clock.h"
#include "base/num.h"
#include "cgroup/file.h"
#include "cgroup/processes.h"
#include "engine/containers_internal.h"
#include "engine/paused.h"
#include "runtime/container.h"

/* ---- why it ended ------------------------------------------------------------------------------------------------- */

/* On v1 "no limit" is a number that no machine has the memory for. */
#define NO_LIMIT ((uint64_t)1 << 60)

static uint64_t read_counter(const struct cgroup_dir *dir, const char *v1, const char *v2)
{
	char text[32];
	uint64_t value;

	if (cgroup_file_read(dir->path, dir->v2 ? v2 : v1, text, sizeof(text)) < 0 ||
	    num_parse_u64(text, 0, UINT64_MAX, &value) < 0)
		return 0;
	return value < NO_LIMIT ? value : 0;
}

/* What only the cgroups know, and they go. */
static void ask_cgroups(const struct container *c, struct container_record *record)
{
	record->oom_kills = cgroup_oom_kills(c->cgroups, c->n_cgroups);
	for (size_t i = 0; i < c->n_cgroups && record->oom_kills && !record->memory_peak; i++) {
		record->memory_limit =
			read_counter(&c->cgroups[i], "memory.limit_in_bytes", "memory.max");
		record->memory_peak =
			read_counter(&c->cgroups[i], "memory.max_usage_in_bytes", "memory.peak");
	}
}

int containers_settle(struct arena *arena, const struct roots *roots,
		      const struct container_dir *dir, struct container_record *record,
		      const struct report *report, struct err *err)
{
	const char *oci_root = containers_oci_root(arena, roots);
	struct err unknown = ERR_INIT;
	struct container c;
	char now[TIME_RFC3339_MAX];
	int r;

	if (container_load(arena, oci_root, dir->id, &c, &unknown) == 0) {
		ask_cgroups(&c, record);
		record->started = c.created;
	}
	r = container_delete(oci_root, dir->id, true, report, err);
	if (r < 0)
		return r;
	if (record->auto_remove)
		return containers_remove(roots, dir, record->name, err);
	if (!record->finished) {
		record->finished = time_rfc3339_now(now);
		record->exit_status = -1;
	}
	return containers_save(arena, dir, record, err);
}

/* ---- sweeping ----------------------------------------------------------------------------------------------------- */

struct sweep {
	const struct roots *roots;
	int containers;
	const char *oci_root;
	struct arena arena;
	struct err *err;
};

/* Is there a container of the runtime's that has not ended? */
static bool runs(struct sweep *sweep, const char *id)
{
	struct err ignored = ERR_INIT;
	struct container c;

	return container_load(&sweep->arena, sweep->oci_root, id, &c, &ignored) == 0 &&
	       c.status != CONTAINER_STOPPED && !c.left_over;
}

static int sweep_one(void *arg, const char *id)
{
	defer_container_dir struct container_dir dir = CONTAINER_DIR_INIT;
	struct sweep *sweep = arg;
	struct container_record record;
	struct err ignored = ERR_INIT;

	dir.fd = containers_open_one(sweep->containers, id);
	if (dir.fd < 0)
		return 0;
	/* Whoever runs it has its lock, whoever has paused it need not. */
	paused_sweep(dir.fd, sweep->oci_root, id);
	/* Somebody is at it, or it has just gone. */
	if (containers_lock_one(sweep->containers, id, dir.fd) < 0)
		return 0;
	containers_name_dir(&sweep->arena, sweep->roots, id, &dir);
	if (container_record_load(&sweep->arena, sweep->containers, id, &record, &ignored) < 0) {
		if (ignored.code != -ENOENT)
			return 0;
		if (container_delete(sweep->oci_root, id, true, NULL, sweep->err) < 0)
			return sweep->err->code;
		return containers_remove(sweep->roots, &dir, NULL, sweep->err);
	}
	/* Who was to start it again has died. */
	if (record.restarting && record.finished) {
		record.restarting = false;
		if (!record.unsettled)
			return containers_save(&sweep->arena, &dir, &record, sweep->err);
	}
	if (record.finished && !record.unsettled && !record.auto_remove)
		return 0;
	/* It was only made, and waits to be started. */
	if (!record.started)
		return 0;
	return runs(sweep, id) ? 0
			       : containers_settle(&sweep->arena, sweep->roots, &dir, &record, NULL,
						   sweep->err);
}

int containers_sweep(const struct roots *roots, struct err *err)
{
	defer_close int containers = containers_open(roots, err);
	struct sweep sweep = { .roots = roots, .containers = containers, .err = err };
	int r;

	if (containers < 0)
		return containers;
	sweep.oci_root = containers_oci_root(&sweep.arena, roots);
	r = containers_each(containers, sweep_one, &sweep, err);
	arena_clear(&sweep.arena);
	return r < 0 ? err_context(err, "clean up after somebody who died") : 0;
}
