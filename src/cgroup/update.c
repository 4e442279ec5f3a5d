/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/update.h"

#include "cgroup/write.h"
#include "os/dir.h"
#include "os/file.h"

#include <string.h>

/* ---- what is due ------------------------------------------------------------------------------------------------ */

/* Two properties in one file: the write has the pointer of the first. */
static const struct {
	const char *file, *also;
} shared_files[] = {
	{ "cpu.max", "/cpu/period" },
};

static bool is_given(const struct resources_change *change, const struct cgroup_write *write)
{
	const char *pointer = write->pointer;

	if (strncmp(pointer, KNOB_ROOT, strlen(KNOB_ROOT)) == 0 &&
	    resources_is_given(change, pointer + strlen(KNOB_ROOT)))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(shared_files); i++) {
		if (strcmp(write->file, shared_files[i].file) == 0)
			return resources_is_given(change, shared_files[i].also);
	}
	return false;
}

static bool has_write(const struct cgroup_knobs *knobs, const struct cgroup_write *write)
{
	for (size_t i = 0; i < knobs->n; i++) {
		if (knobs->items[i].hierarchy == write->hierarchy &&
		    strcmp(knobs->items[i].file, write->file) == 0 &&
		    strcmp(knobs->items[i].value, write->value) == 0)
			return true;
	}
	return false;
}

static bool is_due(const struct resources_change *change, const struct cgroup_knobs *before,
		   const struct cgroup_write *write)
{
	if (strncmp(write->file, "devices.", strlen("devices.")) == 0)
		return false;
	return is_given(change, write) || !has_write(before, write);
}

int cgroup_changes_plan(struct arena *arena, const struct resources_change *change,
			const struct cgroup_layout *layout, struct cgroup_changes *ret,
			struct err *err)
{
	struct cgroup_knobs before, after;
	struct err ignored = ERR_INIT;
	int r;

	/* What create could put into force then, a later host may refuse; it is compared with only. */
	if (cgroup_knobs_update(arena, &change->before, layout, &before, &ignored) < 0)
		before.n = 0;
	r = cgroup_knobs_update(arena, &change->after, layout, &after, err);
	if (r < 0)
		return r;

	*ret = (struct cgroup_changes){ .v2_needed = after.v2_needed };
	ret->items = arena_array(arena, after.n + 1, sizeof(*ret->items));
	for (size_t i = 0; i < after.n; i++) {
		if (is_due(change, &before, &after.items[i]))
			ret->items[ret->n++].write = after.items[i];
	}
	return 0;
}

/* ---- the order -------------------------------------------------------------------------------------------------- */

struct pair {
	const struct cgroup_change *first, *second; /* as the table of the knobs has them */
};

static uint64_t now(const struct cgroup_change *change)
{
	return change->before ? cgroup_limit(change->before) : UINT64_MAX;
}

static uint64_t wanted(const struct cgroup_change *change)
{
	return cgroup_limit(change->write.value);
}

/* The first must never be above the second: so the second grows first. */
static bool is_bound_growing(const struct pair *p)
{
	return wanted(p->first) > now(p->second);
}

/* The second must never be above the first: so the second shrinks first. */
static bool is_bounded_shrinking(const struct pair *p)
{
	return now(p->second) > wanted(p->first) && wanted(p->second) < now(p->second);
}

/*
 * The kernel compares quota/period with the parent's: on the way it may be no more than before or afterwards. That
 * is so with the period first, unless it gets shorter while the quota gets smaller, or the quota is lifted.
 */
static bool is_quota_first(const struct pair *p)
{
	uint64_t quota = now(p->second);

	if (wanted(p->second) == UINT64_MAX)
		return true;
	return wanted(p->first) < now(p->first) && quota != UINT64_MAX && wanted(p->second) < quota;
}

/* While a cgroup is idle its weight can't be set. */
static bool is_idle_ending(const struct pair *p)
{
	return wanted(p->second) == 0;
}

static const struct rule {
	const char *first, *second;
	bool (*swaps)(const struct pair *p);
} rules[] = {
	{ "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", is_bound_growing },
	{ "cpu.cfs_period_us", "cpu.cfs_quota_us", is_quota_first },
	{ "cpu.cfs_quota_us", "cpu.cfs_burst_us", is_bounded_shrinking },
	{ "cpu.max", "cpu.max.burst", is_bounded_shrinking },
	{ "cpu.rt_period_us", "cpu.rt_runtime_us", is_bounded_shrinking },
	{ "cpu.shares", "cpu.idle", is_idle_ending },
	{ "cpu.weight", "cpu.idle", is_idle_ending },
};

static size_t find(const struct cgroup_changes *changes, const char *file)
{
	size_t i = 0;

	while (i < changes->n && strcmp(changes->items[i].write.file, file) != 0)
		i++;
	return i;
}

static void apply_rule(struct cgroup_changes *changes, const struct rule *rule)
{
	size_t first = find(changes, rule->first), second = find(changes, rule->second);
	struct cgroup_change moved;
	struct pair pair;

	if (first == changes->n || second == changes->n || first > second)
		return;
	pair = (struct pair){ &changes->items[first], &changes->items[second] };
	if (!rule->swaps(&pair))
		return;
	moved = changes->items[second];
	memmove(&changes->items[first + 1], &changes->items[first],
		(second - first) * sizeof(moved));
	changes->items[first] = moved;
}

void cgroup_changes_order(struct cgroup_changes *changes)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		apply_rule(changes, &rules[i]);
}

/* ---- doing it --------------------------------------------------------------------------------------------------- */

static int open_dir(const struct cgroup_dir *dir, struct err *err)
{
	int fd = os_dir_open(dir->path);

	return fd < 0 ? err_set(err, fd, "open cgroup \"%s\"", dir->path) : fd;
}

/* Which file it will be shows only now; see struct cgroup_write. */
static int settle(struct arena *arena, struct cgroup_change *change, const struct cgroup_dir *dirs,
		  struct err *err)
{
	struct cgroup_write *write = &change->write;
	defer_close int fd = open_dir(&dirs[write->hierarchy], err);

	if (fd < 0)
		return fd;
	if (write->other_file && os_exists_at(fd, write->file) == 0 &&
	    os_exists_at(fd, write->other_file) == 1) {
		write->file = write->other_file;
		write->value = write->other_value;
	}
	change->before = cgroup_write_before(arena, fd, write->file, write->value);
	return 0;
}

static int apply(struct cgroup_change *change, const struct cgroup_dir *dirs, struct err *err)
{
	const struct cgroup_dir *dir = &dirs[change->write.hierarchy];
	defer_close int fd = open_dir(dir, err);
	int r = fd < 0 ? fd : cgroup_write(fd, dir->path, &change->write, err);

	change->done = r == 0;
	return r < 0 ? err_at(err, change->write.pointer) : 0;
}

int cgroup_changes_apply(struct arena *arena, struct cgroup_changes *changes,
			 const struct cgroup_dir *dirs, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < changes->n && r == 0; i++)
		r = settle(arena, &changes->items[i], dirs, err);
	if (r < 0)
		return r;
	cgroup_changes_order(changes);
	for (size_t i = 0; i < changes->n && r == 0; i++)
		r = apply(&changes->items[i], dirs, err);
	if (r < 0)
		cgroup_changes_undo(changes, dirs, err);
	return r;
}

int cgroup_changes_again(struct cgroup_changes *changes, const struct cgroup_dir *dirs,
			 struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < changes->n && r == 0; i++)
		r = apply(&changes->items[i], dirs, err);
	return r;
}

static int undo(struct cgroup_change *change, const struct cgroup_dir *dirs)
{
	defer_close int fd = os_dir_open(dirs[change->write.hierarchy].path);

	change->done = false;
	if (fd < 0)
		return fd;
	/* An optional file that is not there: nothing was done. */
	if (!change->before)
		return os_exists_at(fd, change->write.file) == 1 ? -ENOTSUP : 0;
	return os_file_write_at(fd, change->write.file, change->before, strlen(change->before));
}

void cgroup_changes_undo(struct cgroup_changes *changes, const struct cgroup_dir *dirs,
			 struct err *err)
{
	for (size_t i = changes->n; i-- > 0;) {
		struct cgroup_change *change = &changes->items[i];

		if (change->done && undo(change, dirs) < 0)
			err_hint(err,
				 "\"%s\" of cgroup \"%s\" is changed already and could not be set "
				 "back to \"%s\"",
				 change->write.file, dirs[change->write.hierarchy].path,
				 change->before ? change->before : "what it was");
	}
}
