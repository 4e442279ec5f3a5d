/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/remove.h"

#include "cgroup/names.h"
#include "os/dir.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <time.h>

/* Waiting starts short, since a killed process is usually gone at once, and ends at a rate that costs nothing. */
#define WAIT_FIRST_MS 1
#define WAIT_LAST_MS  50

/* Deeper than the kernel lets anyone build by default paths; ends a recursion that outside names would steer. */
#define DEPTH_MAX 256

static int remove_tree(const char *path, int depth);

/* Remove the cgroups below @path. Return: 0; the last error */
static int remove_children(const char *path, int depth)
{
	struct dirent *entry;
	char child[PATH_MAX];
	DIR *dir;
	int r = 0, one;

	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (snprintf(child, sizeof(child), "%s/%s", path, entry->d_name) >=
		    (int)sizeof(child))
			one = -ENAMETOOLONG;
		else
			one = remove_tree(child, depth + 1);
		r = one < 0 ? one : r;
	}
	closedir(dir);
	return r;
}

/* Most cgroups have no children, so the removal itself is tried first. */
static int remove_tree(const char *path, int depth)
{
	int r = os_dir_remove(path);

	if (r == -EBUSY || r == -ENOTEMPTY) {
		if (depth >= DEPTH_MAX)
			return r;
		r = remove_children(path, depth);
		if (r == 0)
			r = os_dir_remove(path);
	}
	return r == -ENOENT ? 0 : r;
}

static int remove_waiting(const char *path, int timeout_ms)
{
	int wait_ms = WAIT_FIRST_MS, waited_ms = 0, r;

	while ((r = remove_tree(path, 0)) == -EBUSY && waited_ms < timeout_ms) {
		const struct timespec pause = { .tv_nsec = wait_ms * 1000000L };

		nanosleep(&pause, NULL);
		waited_ms += wait_ms;
		wait_ms = wait_ms * 2 < WAIT_LAST_MS ? wait_ms * 2 : WAIT_LAST_MS;
	}
	return r;
}

int cgroup_remove(const struct cgroup_dir *dir, int timeout_ms, struct err *err)
{
	uint32_t names = cgroup_count_names(cgroup_below(dir->mount, dir->path));
	char part[PATH_MAX];
	int r;

	if (names <= dir->existing && !dir->sub)
		return 0;
	/* Of a cgroup that was there before only what was made below it goes. */
	snprintf(part, sizeof(part), "%s", dir->path);
	if (names <= dir->existing)
		snprintf(part, sizeof(part), "%s/%.*s", dir->path, (int)strcspn(dir->sub, "/"),
			 dir->sub);
	r = remove_waiting(part, timeout_ms);
	if (r < 0) {
		err_set(err, r, "remove cgroup \"%s\"", part);
		return r == -EBUSY
			       ? err_hint(err, "processes are still in it: see cgroup.procs there")
			       : r;
	}

	while (names > dir->existing && --names > dir->existing) {
		*strrchr(part, '/') = '\0';
		if (os_dir_remove(part) < 0)
			break;
	}
	return 0;
}
