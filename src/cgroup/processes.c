/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/processes.h"

#include "cgroup/file.h"
#include "cgroup/freezer.h"
#include "os/dir.h"
#include "os/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DEPTH_MAX 256

/* A line is at most eight bytes, and a host has at most four million pids. */
#define PROCS_MAX_BYTES ((size_t)8 * 4 * 1024 * 1024)

/* Without a freezer, processes that fork while we signal them are met again in the next round. */
#define KILL_ROUNDS 100

/* ---- every process in a tree ------------------------------------------------------------------------------------ */

/* Return: 0 to go on, anything else ends the walk with that */
typedef int process_fn(pid_t pid, void *arg);

/* The pids in @text, one a line. 0 is a process of another pid namespace; it counts, but has no name here. */
static int walk_pids(char *text, process_fn *fn, void *arg)
{
	char *line, *rest = text;
	int r = 0;

	while (r == 0 && (line = strsep(&rest, "\n"))) {
		if (line[0])
			r = fn((pid_t)strtol(line, NULL, 10), arg);
	}
	return r;
}

static int walk_one(const char *path, process_fn *fn, void *arg)
{
	defer_arena struct arena arena = { 0 };
	defer_close int fd = -EBADF;
	char file[PATH_MAX], *text;
	size_t len;
	int r;

	if (snprintf(file, sizeof(file), "%s/cgroup.procs", path) >= (int)sizeof(file))
		return -ENAMETOOLONG;
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : -errno;
	r = os_file_read(&arena, fd, PROCS_MAX_BYTES, &text, &len);
	if (r < 0)
		return r == -ENODEV ? 0 : r;
	return walk_pids(text, fn, arg);
}

static bool is_threaded(int r, int depth)
{
	/* Below the container's own: its processes are those of a cgroup above, which was looked at. */
	return r == -EOPNOTSUPP && depth > 0;
}

static int walk(const char *path, process_fn *fn, void *arg, int depth)
{
	struct dirent *entry;
	char child[PATH_MAX];
	DIR *dir;
	int r;

	r = walk_one(path, fn, arg);
	if (is_threaded(r, depth))
		r = 0;
	if (r != 0 || depth >= DEPTH_MAX)
		return r;
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (r == 0 && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (snprintf(child, sizeof(child), "%s/%s", path, entry->d_name) >=
		    (int)sizeof(child))
			r = -ENAMETOOLONG;
		else
			r = walk(child, fn, arg, depth + 1);
	}
	closedir(dir);
	return r;
}

static int found_one(pid_t pid, void *arg)
{
	return 1;
}

int cgroup_has_processes(const char *path)
{
	return walk(path, found_one, NULL, 0);
}

/* ---- signals ---------------------------------------------------------------------------------------------------- */

struct signalling {
	int signal, count, error;
};

static int signal_one(pid_t pid, void *arg)
{
	struct signalling *s = arg;

	if (pid <= 0)
		return 0;
	s->count++;
	if (kill(pid, s->signal) < 0 && errno != ESRCH)
		s->error = -errno;
	return 0;
}

/* Any hierarchy will do, since the container is in all of them; v2 first, which the container can't leave. */
static const struct cgroup_dir *any_dir(const struct cgroup_dir *dirs, size_t n)
{
	for (size_t i = n; i-- > 0;) {
		if (os_exists_at(AT_FDCWD, dirs[i].path) == 1)
			return &dirs[i];
	}
	return NULL;
}

struct pid_list {
	struct arena *arena;
	pid_t *items;
	size_t n;
};

static int add_pid(pid_t pid, void *arg)
{
	struct pid_list *list = arg;

	if (pid <= 0)
		return 0;
	list->items = arena_grow(list->arena, list->items, list->n, sizeof(*list->items));
	list->items[list->n++] = pid;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* One that moves from one cgroup to another meanwhile may be met twice. */
static size_t drop_repeated(pid_t *pids, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (i == 0 || pids[i] != pids[i - 1])
			pids[kept++] = pids[i];
	}
	return kept;
}

int cgroup_pids(struct arena *arena, const struct cgroup_dir *dirs, size_t n, pid_t **ret_pids,
		size_t *ret_n, struct err *err)
{
	const struct cgroup_dir *dir = any_dir(dirs, n);
	struct pid_list list = { .arena = arena };
	int r = dir ? walk(dir->path, add_pid, &list, 0) : 0;

	if (r < 0)
		return err_set(err, r, "list the processes of cgroup \"%s\"", dir->path);
	if (list.n)
		qsort(list.items, list.n, sizeof(*list.items), by_number);
	*ret_pids = list.items;
	*ret_n = drop_repeated(list.items, list.n);
	return 0;
}

int cgroup_signal_all(const struct cgroup_dir *dirs, size_t n, int signal, struct err *err)
{
	const struct cgroup_dir *dir = any_dir(dirs, n);
	struct signalling s = { .signal = signal };
	bool was_frozen = cgroup_is_frozen(dirs, n), frozen;
	int r;

	if (!dir)
		return 0;
	frozen = was_frozen || cgroup_freeze(dirs, n, CGROUP_FREEZE_TIMEOUT_MS) == 0;
	r = walk(dir->path, signal_one, &s, 0);
	/* On v1 even SIGKILL waits for the thaw. */
	if (frozen && (!was_frozen || signal == SIGKILL))
		(void)!cgroup_thaw(dirs, n);
	if (r == 0)
		r = s.error;
	if (r < 0)
		return err_set(err, r, "signal the processes of cgroup \"%s\"", dir->path);
	return s.count;
}

/* The kernel's own way, which no fork escapes. Return: 1 if it was done */
static int kill_v2(const struct cgroup_dir *dirs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (dirs[i].v2 && cgroup_file_write(dirs[i].path, "cgroup.kill", "1") == 0) {
			if (cgroup_is_frozen(dirs, n))
				(void)!cgroup_thaw(dirs, n);
			return 1;
		}
	}
	return 0;
}

int cgroup_kill_all(const struct cgroup_dir *dirs, size_t n, struct err *err)
{
	bool freezable = cgroup_has_freezer(dirs, n);
	int found;

	if (kill_v2(dirs, n))
		return 0;
	for (int round = 0; round < KILL_ROUNDS; round++) {
		found = cgroup_signal_all(dirs, n, SIGKILL, err);
		if (found < 0)
			return found;
		if (found == 0 || freezable)
			return 0;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return err_set(err, -EBUSY, "end the processes of the container: new ones keep coming");
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

uint64_t cgroup_oom_kills(const struct cgroup_dir *dirs, size_t n)
{
	char text[512];
	const char *at;

	for (size_t i = 0; i < n; i++) {
		if (cgroup_file_read(dirs[i].path,
				     dirs[i].v2 ? "memory.events" : "memory.oom_control", text,
				     sizeof(text)) < 0)
			continue;
		at = strstr(text, "oom_kill ");
		if (at)
			return strtoull(at + strlen("oom_kill "), NULL, 10);
	}
	return 0;
}
