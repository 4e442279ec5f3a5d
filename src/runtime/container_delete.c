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

/* How long an init that has SIGKILL may take to end; runc gives one that it kills as much. */
#define DYING_TIMEOUT_MS 10000

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
		return err_set(err, -ETIMEDOUT, "end the runtime %d that is creating the container",
			       (int)c->creator);
	return 0;
}

/*
 * A container that is about to end is waited for: a kill returns before its signal has done its work, and whoever types
 * delete after it means what is left a moment later. Others are not waited for.
 */
static void await_end(const struct container *c)
{
	defer_close int pidfd = -EBADF;
	struct os_process_stat stat;

	if (c->status == CONTAINER_STOPPED || c->status == CONTAINER_CREATING)
		return;
	pidfd = os_process_open(c->pid, c->start_time);
	if (pidfd >= 0 && os_process_stat(c->pid, &stat) == 0 && stat.dying)
		(void)!os_pidfd_ended(pidfd, DYING_TIMEOUT_MS);
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
 * Under the lock: everything but hooks and record.
 * Return: 0; 1 if the poststop hooks are ours to run; -errno
 */
static int tear_down(int dir, const struct container *c, struct err *err)
{
	int r;

	r = cleanup_processes(c, err);
	if (r == 0)
		r = cleanup_cgroups(c, err);
	if (r == 0)
		r = cleanup_rdt(c, err);
	if (r < 0 || !c->has_poststop)
		return r;
	/* Whoever makes the mark runs the hooks: they run once, however many deletes there are. */
	r = os_file_make_at(dir, RECORD_POSTSTOP, "", 0, 0600);
	return r == 0 ? 1 : r == -EEXIST ? 0 : err_set(err, r, "mark the poststop hooks as run");
}

/* Under the lock, with a record that was read under it: tear down, poststop hooks without the lock, the record at last. */
static int delete_locked(const char *root, const char *id, int dir, const struct container *c,
			 struct arena *arena, const struct report *report, struct err *err)
{
	struct err hooks = ERR_INIT;
	struct config *config;
	int r;

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
static int delete_broken(const char *root, const char *id, int dir, int why, bool force,
			 struct err *err)
{
	int r;

	if (!force)
		return why == -ENOENT ? unknown(id, force, err) : why;
	r = record_dir_remove(root, id, dir);
	return r < 0 ? err_set(err, r, "remove the state directory") : 0;
}

/*
 * One try. What the record says decides only when it was read under the lock: a create that had none a moment ago, or was
 * `creating`, may have made a running container by then.
 * Return: 0; -EAGAIN if a create is at work again and must be ended first; -errno
 */
static int try_delete(const char *root, const char *id, bool force, const struct report *report,
		      struct err *err)
{
	defer_arena struct arena arena = { 0 };
	struct container c = { .status = CONTAINER_STOPPED };
	defer_close int dir = -EBADF;
	int r;

	dir = record_dir_open(root, id);
	if (dir == -ENOENT)
		return unknown(id, force, err);
	if (dir < 0)
		return err_set(err, dir, "open the state directory");
	/* Without the lock, since a create that hangs may have it. */
	r = container_read(&arena, dir, &c, err);
	if (r == 0 && !force) {
		await_end(&c);
		r = container_read(&arena, dir, &c, err);
	}
	if (r == 0)
		r = check_status(&c, id, force, err);
	else
		r = force ? 0 : delete_broken(root, id, dir, r, force, err);
	if (r == 0 && force && c.status == CONTAINER_CREATING)
		r = end_creator(&c, err);
	if (r < 0)
		return r;

	r = record_dir_lock(dir);
	if (r == -ENOENT)
		return unknown(id, force, err);
	if (r < 0)
		return err_set(err, r, "lock the state directory");
	r = container_read(&arena, dir, &c, err);
	if (r < 0)
		return delete_broken(root, id, dir, r, force, err);
	r = check_status(&c, id, force, err);
	if (r < 0)
		return r;
	if (c.status == CONTAINER_CREATING && !c.left_over)
		return -EAGAIN;
	return delete_locked(root, id, dir, &c, &arena, report, err);
}

/* Each try that fails has met another create; somebody who makes them as fast as this can't be waited for. */
#define DELETE_TRIES 100

/* Spec: runtime.md "Delete" (rows Y-13 to Y-15, Y-22); --force and unknown ids as callers expect (2.5 no. 12) */
int container_delete(const char *root, const char *id, bool force, const struct report *report,
		     struct err *err)
{
	int r = container_id_check(id, err);

	if (r < 0)
		return r;
	for (int i = 0; i < DELETE_TRIES; i++) {
		r = try_delete(root, id, force, report, err);
		if (r != -EAGAIN)
			return r;
	}
	return err_user_code(err, -EBUSY, "container \"%s\" is being created again and again", id);
}

int container_end(const char *root, const char *id, struct container_started *started,
		  const struct report *report, struct err *err)
{
	int dir = started->state_dir, r;

	if (!started->container)
		return container_delete(root, id, false, report, err);
	r = record_dir_lock(dir);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_set(err, r, "lock the state directory");
	return delete_locked(root, id, dir, started->container, &started->arena, report, err);
}

int container_sweep(const char *root, const char *id)
{
	defer_arena struct arena arena = { 0 };
	defer_close int dir = -EBADF;
	struct err err = ERR_INIT;
	struct container c;
	int r;

	dir = record_dir_open(root, id);
	if (dir == -ENOENT)
		return 0;
	if (dir < 0)
		return dir;
	/* Once without the lock: a container that is in use must not be waited for. */
	r = container_read(&arena, dir, &c, &err);
	if (r < 0 || !c.left_over)
		return -EBUSY;
	r = record_dir_lock(dir);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = container_read(&arena, dir, &c, &err);
	if (r < 0 || !c.left_over)
		return -EBUSY;
	return delete_locked(root, id, dir, &c, &arena, NULL, &err);
}
