/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/control.h"

#include "base/clock.h"
#include "engine/containers_internal.h"
#include "engine/restart_policy.h"
#include "os/process.h"
#include "runtime/container.h"
#include "spec/words.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>

/* How long the one who watches it may take to see its end and to clean up, and how often to look. */
#define LET_GO_MS 10000
#define LOOK_MS   5

bool control_runs(const struct roots *roots, const char *id, int *ret_pidfd)
{
	defer_arena struct arena arena = { 0 };
	struct err ignored = ERR_INIT;
	struct container c;
	int pidfd;

	if (container_load(&arena, containers_oci_root(&arena, roots), id, &c, &ignored) < 0 ||
	    c.status == CONTAINER_STOPPED || c.left_over || c.pid <= 0)
		return false;
	if (!ret_pidfd)
		return true;
	pidfd = os_process_open(c.pid, c.start_time);
	if (pidfd < 0)
		return false;
	*ret_pidfd = pidfd;
	return true;
}

int control_lock_when_ended(struct arena *arena, const struct roots *roots, const char *id,
			    struct container_dir *ret, struct err *err)
{
	int64_t deadline = clock_ms() + LET_GO_MS;
	int r;

	while ((r = containers_lock(arena, roots, id, ret, err)) == -EBUSY && clock_ms() < deadline)
		(void)poll(NULL, 0, LOOK_MS);
	return r;
}

/* Return: the container's directory, without its lock; -errno with @err */
static int open_directory(const struct roots *roots, const char *id, struct err *err)
{
	defer_close int containers = containers_open(roots, err);
	int fd;

	if (containers < 0)
		return containers;
	fd = containers_open_one(containers, id);
	return fd < 0 ? err_set(err, fd, "open container %.12s", id) : fd;
}

int control_forbid_restart(const struct roots *roots, const char *id, struct err *err)
{
	defer_close int dir = open_directory(roots, id, err);

	return dir < 0 ? dir : restart_forbid(dir, err);
}

/* What asks it to end */
static int own_signal(const struct container_record *record)
{
	const char *text = json_string(json_member(record->config, "StopSignal"));
	int signal;

	return text && signal_parse(text, &signal) == 0 ? signal : SIGTERM;
}

int control_kill(const struct roots *roots, const char *id, int signal, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	struct container_record record;
	int r = containers_load(&arena, roots, id, &record, err);

	/* As of docker: who sends these wants it to end for good. */
	if (r == 0 && control_runs(roots, id, NULL) &&
	    (signal == SIGKILL || signal == own_signal(&record)))
		r = control_forbid_restart(roots, id, err);
	if (r < 0)
		return r;
	r = container_kill(containers_oci_root(&arena, roots), id, signal, false, err);

	if (r == -ENOENT || r == -ESRCH)
		return err_user_code(err, -ESRCH, "container %.12s is not running", id);
	return r;
}

/* ---- stop --------------------------------------------------------------------------------------------------------- */

static int64_t own_timeout(const struct container_record *record)
{
	const struct json *member = json_member(record->config, "StopTimeout");
	int64_t seconds;

	return member && json_i64(member, &seconds) == 0 ? seconds : CONTROL_STOP_TIMEOUT_S;
}

static int timeout_ms(int64_t seconds)
{
	return seconds < 0 ? -1 : seconds > INT_MAX / 1000 ? INT_MAX : (int)seconds * 1000;
}

static int ended_in_time(int pidfd, int64_t seconds, struct err *err)
{
	int r = os_pidfd_ended(pidfd, timeout_ms(seconds));

	return r < 0 ? err_set(err, r, "wait for the container's init") : r;
}

/* It may have ended, or gone, by itself. */
static int signal_it(const char *oci_root, const char *id, int signal, struct err *err)
{
	int r = container_kill(oci_root, id, signal, signal == SIGKILL, err);

	return r == -ESRCH || r == -ENOENT ? 0 : r;
}

static int end_it(const struct roots *roots, const char *id, int pidfd, int signal, int64_t seconds,
		  struct err *err)
{
	defer_arena struct arena arena = { 0 };
	const char *oci_root = containers_oci_root(&arena, roots);
	struct err not_paused = ERR_INIT;
	int r = signal_it(oci_root, id, signal, err);

	if (r < 0)
		return r;
	/* One that is paused hears nothing. */
	(void)!container_resume(oci_root, id, &not_paused);
	r = ended_in_time(pidfd, seconds, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = signal_it(oci_root, id, SIGKILL, err);
	return r < 0 ? r : ended_in_time(pidfd, -1, err);
}

/* Whoever watched it, or else we, have cleaned up. */
static int wait_until_settled(const struct roots *roots, const char *id, struct err *err)
{
	defer_container_dir struct container_dir dir = CONTAINER_DIR_INIT;
	defer_arena struct arena arena = { 0 };
	struct container_record record;
	int r = control_lock_when_ended(&arena, roots, id, &dir, err);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = containers_load(&arena, roots, id, &record, err);
	if (r < 0 || (record.finished && !record.unsettled && !record.auto_remove))
		return r;
	return containers_settle(&arena, roots, &dir, &record, NULL, err);
}

int control_stop(const struct roots *roots, const char *id, int signal, int64_t timeout_s,
		 struct err *err)
{
	defer_arena struct arena arena = { 0 };
	defer_close int pidfd = -EBADF;
	struct container_record record;
	int r = containers_load(&arena, roots, id, &record, err);

	if (r < 0)
		return r;
	if (!control_runs(roots, id, &pidfd) && !record.restarting)
		return 0;
	r = control_forbid_restart(roots, id, err);
	if (r == -ENOENT) {
		/* It ended by itself, and is one of --rm. */
		*err = ERR_INIT;
		return 0;
	}
	if (r < 0 || pidfd < 0)
		return r < 0 ? r : wait_until_settled(roots, id, err);
	if (signal == CONTROL_AS_CONTAINER)
		signal = own_signal(&record);
	if (timeout_s == CONTROL_AS_CONTAINER)
		timeout_s = own_timeout(&record);
	r = end_it(roots, id, pidfd, signal, timeout_s, err);
	return r < 0 ? r : wait_until_settled(roots, id, err);
}

/* ---- wait --------------------------------------------------------------------------------------------------------- */

struct waiting {
	const struct roots *roots;
	const char *id;
	struct arena arena;
	int end; /* end.json, which can be read when the container is gone; -EBADF: it has none */
};

/* Return: 1 if it is known how it ended; 0 if not yet; -errno */
static int look(struct waiting *w, struct container_record *record, struct err *err)
{
	int r = containers_load(&w->arena, w->roots, w->id, record, err);

	if (r == -ENOENT && w->end >= 0 && container_end_read(&w->arena, w->end, record) > 0)
		return 1;
	if (r == -ENOENT)
		return err_user_code(err, r,
				     "container %.12s was removed, and nobody kept its exit status",
				     w->id);
	return r < 0 ? r : record->finished != NULL;
}

static int wait_for_init(struct waiting *w, struct err *err)
{
	defer_close int pidfd = -EBADF;

	if (!control_runs(w->roots, w->id, &pidfd))
		return 0;
	return ended_in_time(pidfd, -1, err) < 0 ? err->code : 0;
}

/* Who watched it records the end in a moment; if he died, we do. */
static int wait_for_record(struct waiting *w, struct container_record *ret, struct err *err)
{
	int64_t deadline = clock_ms() + LET_GO_MS;
	int r = look(w, ret, err);

	/* Known is not all: why it ended is found out by who cleans up. */
	while ((r == 0 || (r > 0 && ret->unsettled)) && clock_ms() < deadline) {
		defer_container_dir struct container_dir dir = CONTAINER_DIR_INIT;
		struct err busy = ERR_INIT;

		if (containers_lock(&w->arena, w->roots, w->id, &dir, &busy) == 0) {
			container_dir_clear(&dir);
			if (wait_until_settled(w->roots, w->id, err) < 0)
				return err->code;
		} else {
			(void)poll(NULL, 0, LOOK_MS);
		}
		r = look(w, ret, err);
	}
	if (r == 0)
		return err_set(err, -ETIMEDOUT,
			       "wait for the end of container %.12s to be recorded", w->id);
	return r < 0 ? r : 0;
}

static int wait_for(struct waiting *w, struct container_record *record, struct err *err)
{
	int r = containers_load(&w->arena, w->roots, w->id, record, err);

	if (r < 0)
		return r;
	/* It was only made, and does not run: docker's answer. */
	if (!record->started && !record->finished) {
		record->exit_status = 0;
		return 0;
	}
	r = record->finished ? 0 : wait_for_init(w, err);
	return r < 0 ? r : wait_for_record(w, record, err);
}

int control_wait(const struct roots *roots, const char *id, int *ret_status, struct err *err)
{
	struct waiting w = { .roots = roots, .id = id, .end = -EBADF };
	defer_close int containers = containers_open(roots, err);
	struct container_record record;
	char path[CONTAINER_ID_DIGITS + 16];
	int r;

	if (containers < 0)
		return containers;
	snprintf(path, sizeof(path), "%s/" CONTAINER_END, id);
	w.end = openat(containers, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	r = wait_for(&w, &record, err);
	defer_close_fn(&w.end);
	arena_clear(&w.arena);
	if (r < 0)
		return r;
	if (record.exit_status < 0)
		return err_user_code(err, -ENODATA, "nobody saw how container %.12s ended", id);
	*ret_status = (int)record.exit_status;
	return 0;
}
