/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking at containers: one, and all of them. */
#include "runtime/container.h"

#include "cgroup/freezer.h"
#include "os/process.h"
#include "runtime/act.h"
#include "runtime/cleanup.h"
#include "runtime/record.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static bool is_alive(const struct container *c, struct os_process_stat *ret)
{
	return c->pid > 0 && os_process_stat(c->pid, ret) == 0 &&
	       ret->start_time == c->start_time && ret->state != 'Z' && ret->state != 'X';
}

/* It has not executed the program yet. */
static bool waits(const struct os_process_stat *stat)
{
	return strcmp(stat->comm, ACT_CHILD_NAME) == 0;
}

/*
 * A hook in the container's pid namespace asks for the state too, and there the record's pids mean nothing. The record is
 * all that can be told from there.
 */
static bool can_judge(const struct container *c)
{
	return c->pid_ns == 0 || c->pid_ns == os_pid_ns();
}

static bool creator_is_gone(const struct container *c)
{
	int creator = record_creator(c);

	if (creator < 0)
		return true;
	close(creator);
	return false;
}

/* Turn the record's status into today's: the record does not know how things went on. */
static void look_at_process(struct container *c)
{
	struct os_process_stat stat = { 0 };
	bool alive;

	c->left_over = c->status == CONTAINER_CREATING && creator_is_gone(c) && can_judge(c);
	if (c->status == CONTAINER_CREATING && !c->left_over)
		return;
	alive = is_alive(c, &stat);
	if (!alive && can_judge(c)) {
		c->status = CONTAINER_STOPPED;
		c->pid = 0;
		return;
	}
	/* A start that was killed when it had said go could not write it down. */
	if (alive && !waits(&stat) && c->status == CONTAINER_CREATED)
		c->status = CONTAINER_RUNNING;
	if (!c->left_over && cgroup_is_frozen_with(c->cgroups, c->n_cgroups, stat.state))
		c->status = CONTAINER_PAUSED;
}

/* A creator that is gone may have finished after we read: what it wrote last is read again, once it can't write any more. */
static int read_and_look(struct arena *arena, int dir, const char *path, struct container *ret,
			 struct err *err)
{
	uint64_t start_time;
	pid_t creator;
	int r;

	ret->creator = 0;
	ret->creator_start_time = 0;
	do {
		creator = ret->creator;
		start_time = ret->creator_start_time;
		r = record_read(arena, dir, path, ret, err);
		if (r < 0)
			return r;
		look_at_process(ret);
	} while (ret->left_over &&
		 (ret->creator != creator || ret->creator_start_time != start_time));
	return 0;
}

int container_read(struct arena *arena, int dir, struct container *ret, struct err *err)
{
	return read_and_look(arena, dir, RECORD_FILE, ret, err);
}

static int unknown(const char *id, struct err *err)
{
	return err_user_code(err, -ENOENT, "container \"%s\" does not exist", id);
}

static int open_dir(const char *root, const char *id, struct err *err)
{
	int r = container_id_check(id, err);

	if (r < 0)
		return r;
	r = record_dir_open(root, id);
	if (r == -ENOENT || r == -ENOTDIR)
		return unknown(id, err);
	return r < 0 ? err_set(err, r, "open the state directory") : r;
}

int container_open(struct arena *arena, const char *root, const char *id, int *ret_dir,
		   struct container *ret, struct err *err)
{
	defer_close int dir = open_dir(root, id, err);
	int r;

	if (dir < 0)
		return dir;
	r = container_read(arena, dir, ret, err);
	/* Reserved, but without a record yet, or not any more. */
	if (r < 0)
		return r == -ENOENT ? unknown(id, err) : r;
	*ret_dir = take_fd(&dir);
	return 0;
}

int container_load(struct arena *arena, const char *root, const char *id, struct container *ret,
		   struct err *err)
{
	defer_close int dir = -EBADF;

	return container_open(arena, root, id, &dir, ret, err);
}

int container_read_locked(struct arena *arena, const char *root, const char *id, int *ret_dir,
			  struct container *ret, struct err *err)
{
	defer_close int dir = open_dir(root, id, err);
	int r;

	if (dir < 0)
		return dir;
	r = record_dir_lock(dir);
	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "lock the state directory");
	if (r == 0)
		r = container_read(arena, dir, ret, err);
	if (r < 0)
		return r == -ENOENT ? unknown(id, err) : r;
	*ret_dir = take_fd(&dir);
	return 0;
}

/* ---- list ------------------------------------------------------------------------------------------------------- */

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_name(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN);
}

static void free_names(struct dirent **names, int n)
{
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

/* What a killed create left is no container. */
static bool is_swept(const char *root, const char *id, const struct container *c)
{
	return c->left_over && container_sweep(root, id) == 0;
}

/* Of what was read into memory that is used again, what a listing shows. */
static void keep(struct arena *arena, const struct container *read, struct container *ret)
{
	struct key_value *items = arena_array(arena, read->annotations.n, sizeof(*items));

	*ret = *read;
	ret->id = arena_strdup(arena, read->id);
	ret->bundle = arena_strdup(arena, read->bundle);
	ret->rootfs = arena_strdup(arena, read->rootfs);
	ret->created = arena_strdup(arena, read->created);
	for (size_t i = 0; i < read->annotations.n; i++) {
		items[i].key = arena_strdup(arena, read->annotations.items[i].key);
		items[i].value = arena_strdup(arena, read->annotations.items[i].value);
	}
	ret->annotations.items = items;
	ret->cgroups = NULL;
	ret->n_cgroups = 0;
	ret->unit = (struct unit){ 0 };
}

/* As container_load(), but the directory itself is not opened. */
static int load_listed(struct arena *arena, int root, const char *id, struct container *ret,
		       struct err *err)
{
	char path[NAME_MAX + sizeof("/" RECORD_FILE)];
	int r = container_id_check(id, err);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/" RECORD_FILE, id);
	return read_and_look(arena, root, path, ret, err);
}

int container_list(struct arena *arena, const char *root, struct container **ret, size_t *ret_n,
		   void (*broken)(void *to, const char *id, const struct err *err), void *to,
		   struct err *err)
{
	/* A new page costs as much as ten system calls: all records are read into the same ones. */
	defer_arena struct arena scratch = { 0 };
	defer_close int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **names = NULL;
	struct container *list;
	size_t found = 0;
	int n;

	*ret = NULL;
	*ret_n = 0;
	if (dir < 0 && errno == ENOENT)
		return 0;
	n = dir < 0 ? -1 : scandirat(dir, ".", &names, is_name, by_name);
	if (n < 0)
		return err_sys(err, "list the state root \"%s\"", root);

	list = arena_array(arena, (size_t)n, sizeof(*list));
	for (int i = 0; i < n; i++) {
		struct err one = ERR_INIT;
		struct container read;
		int r = load_listed(&scratch, dir, names[i]->d_name, &read, &one);

		if (r == 0 && !is_swept(root, names[i]->d_name, &read))
			keep(arena, &read, &list[found++]);
		if (r < 0 && r != -ENOENT && r != -ENOTDIR && broken)
			broken(to, names[i]->d_name, &one);
		arena_reset(&scratch);
	}
	free_names(names, n);
	*ret = list;
	*ret_n = found;
	return 0;
}
