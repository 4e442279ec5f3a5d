/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delete: undo everything that create made, poststop hooks, and at last the record.
 *
 * The record goes last, so that a delete that is killed can be repeated, and so that a hook can still ask for the state.
 */
#include "runtime/container.h"

#include "os/file.h"
#include "os/process.h"
#include "runtime/cleanup.h"
#include "runtime/record.h"

#include <signal.h>
#include <stdio.h>

static int unknown(const char *id, bool force, struct err *err)
{
	return force ? 0 : err_user_code(err, -ENOENT, "container \"%s\" does not exist", id);
}

/*
 * A create that hangs in a hook is ended, with the hook and what the hook started: each leads a process group. Stopped
 * first, so that it can't reap one whose pid we are about to use.
 */
static int end_creator(const struct container *c, struct err *err)
{
	defer_close int creator = record_creator(c);

	if (creator < 0)
		return 0;
	(void)os_pidfd_kill(creator, SIGSTOP);
	os_kill_child_groups(c->creator);
	(void)os_pidfd_kill(creator, SIGKILL);
	if (os_pidfd_ended(creator, 10000) != 1)
		return err_set(err, -ETIMEDOUT, "end the runtime %d that is creating the container", (int)c->creator);
	return 0;
}

static int check_status(const struct container *c, const char *id, bool force, struct err *err)
{
	if (c->status == CONTAINER_STOPPED || force)
		return 0;
	err_user_code(err, -EBUSY, "cannot delete container \"%s\" that is not stopped: %s", id,
		      container_status_names[c->status]);
	return err_hint(err, "tare-oci delete --force %s kills it first", id);
}

/*
 * Under the lock, which ends with @dir: everything but hooks and record.
 * Return: 0; 1 if the poststop hooks are ours to run; -errno
 */
static int tear_down(int dir, const struct container *c, struct err *err)
{
	int r;

	r = cleanup_processes(c, err);
	if (r == 0)
		r = cleanup_cgroups(c, err);
	if (r < 0 || !c->has_poststop)
		return r;
	/* Whoever makes the mark runs the hooks: they run once, however many deletes there are. */
	r = os_file_make_at(dir, RECORD_POSTSTOP, "", 0, 0600);
	return r == 0 ? 1 : r == -EEXIST ? 0 : err_set(err, r, "mark the poststop hooks as run");
}

static int delete_loaded(const char *root, const char *id, int dir, const struct container *c, struct arena *arena,
			 const struct report *report, struct err *err)
{
	struct err hooks = ERR_INIT;
	struct config *config;
	int r;

	r = record_dir_lock(dir);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_set(err, r, "lock the state directory");
	r = tear_down(dir, c, err);
	if (r == 1) {
		record_dir_unlock(dir);
		if (cleanup_config(arena, dir, &config, &hooks) == 0)
			cleanup_poststop(c, config, report);
		r = record_dir_lock(dir);
		if (r == -ENOENT)
			return 0;
	}
	if (r == 0) {
		r = record_dir_remove(root, id, dir);
		if (r < 0)
			err_set(err, r, "remove the state directory");
	}
	return r;
}

/* A directory without a record that can be read: nothing is known of it but that it is ours. */
static int delete_broken(const char *root, const char *id, int dir, int why, bool force, struct err *err)
{
	int r;

	if (!force && why != -ENOENT)
		return why;
	if (!force)
		return unknown(id, force, err);
	r = record_dir_lock(dir);
	if (r == 0)
		r = record_dir_remove(root, id, dir);
	return r < 0 && r != -ENOENT ? err_set(err, r, "remove the state directory") : 0;
}

/* Spec: runtime.md "Delete" (rows Y-13 to Y-15, Y-22); --force and unknown ids as callers expect (2.5 no. 12) */
int container_delete(const char *root, const char *id, bool force, const struct report *report, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	defer_close int dir = -EBADF;
	struct container c;
	int r;

	r = container_id_check(id, err);
	if (r < 0)
		return r;
	dir = record_dir_open(root, id);
	if (dir == -ENOENT)
		return unknown(id, force, err);
	if (dir < 0)
		return err_set(err, dir, "open the state directory");
	r = container_read(&arena, dir, &c, err);
	if (r < 0)
		return delete_broken(root, id, dir, r, force, err);

	r = check_status(&c, id, force, err);
	if (r == 0 && c.status == CONTAINER_CREATING)
		r = end_creator(&c, err);
	if (r < 0)
		return r;
	return delete_loaded(root, id, dir, &c, &arena, report, err);
}

int container_sweep(const char *root, const char *id)
{
	defer_arena struct arena arena = { 0 };
	defer_close int dir = -EBADF;
	struct err err = ERR_INIT;
	struct container c;
	int r, creator;

	dir = record_dir_open(root, id);
	if (dir == -ENOENT)
		return 0;
	if (dir < 0)
		return dir;
	r = record_read(&arena, dir, &c, &err);
	if (r < 0 || c.status != CONTAINER_CREATING)
		return -EBUSY;
	creator = record_creator(&c);
	if (creator >= 0) {
		close(creator);
		return -EBUSY;
	}
	return delete_loaded(root, id, dir, &c, &arena, NULL, &err);
}
