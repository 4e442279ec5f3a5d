/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/oom.h"

#include "cgroup/processes.h"
#include "os/dir.h"
#include "os/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

/* Spec: kernel cgroup-v1/memory.rst "OOM Control": the two fds go to cgroup.event_control */
static int open_v1(struct cgroup_oom *oom)
{
	char path[PATH_MAX], line[64];

	snprintf(path, sizeof(path), "%s/memory.oom_control", oom->dir->path);
	oom->control = open(path, O_RDONLY | O_CLOEXEC);
	if (oom->control < 0)
		return -errno;
	oom->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (oom->fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "%s/cgroup.event_control", oom->dir->path);
	snprintf(line, sizeof(line), "%d %d", oom->fd, oom->control);
	return os_file_write_at(AT_FDCWD, path, line, strlen(line));
}

/* Spec: kernel cgroup-v2.rst "memory.events": a change of a value is a modification of the file */
static int open_v2(struct cgroup_oom *oom)
{
	char path[PATH_MAX];

	oom->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (oom->fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "%s/memory.events", oom->dir->path);
	if (inotify_add_watch(oom->fd, path, IN_MODIFY) < 0)
		return -errno;
	oom->seen = cgroup_oom_kills(oom->dir, 1);
	return 0;
}

/* The hierarchy that counts memory */
static const struct cgroup_dir *find(const struct cgroup_dir *dirs, size_t n)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dirs[i].path,
			 dirs[i].v2 ? "memory.events" : "memory.oom_control");
		if (os_exists_at(AT_FDCWD, path) == 1)
			return &dirs[i];
	}
	return NULL;
}

int cgroup_oom_open(const struct cgroup_dir *dirs, size_t n, struct cgroup_oom *ret,
		    struct err *err)
{
	struct cgroup_oom oom = CGROUP_OOM_INIT;
	int r;

	oom.dir = find(dirs, n);
	if (oom.dir) {
		r = oom.dir->v2 ? open_v2(&oom) : open_v1(&oom);
		if (r < 0) {
			cgroup_oom_close(&oom);
			return err_set(err, r, "watch cgroup \"%s\" for want of memory",
				       oom.dir->path);
		}
	}
	*ret = oom;
	return 0;
}

/* Removing the cgroup rings the bell, too. */
static uint64_t count_v1(struct cgroup_oom *oom)
{
	uint64_t count;

	if (read(oom->fd, &count, sizeof(count)) != sizeof(count))
		return 0;
	return os_exists_at(AT_FDCWD, oom->dir->path) == 1 ? count : 0;
}

static uint64_t count_v2(struct cgroup_oom *oom)
{
	char events[4096];
	uint64_t before = oom->seen, now;

	while (read(oom->fd, events, sizeof(events)) > 0)
		;
	now = cgroup_oom_kills(oom->dir, 1);
	if (now <= before)
		return 0;
	oom->seen = now;
	return now - before;
}

uint64_t cgroup_oom_count(struct cgroup_oom *oom)
{
	if (oom->fd < 0)
		return 0;
	return oom->dir->v2 ? count_v2(oom) : count_v1(oom);
}

void cgroup_oom_close(struct cgroup_oom *oom)
{
	defer_close_fn(&oom->fd);
	defer_close_fn(&oom->control);
	*oom = CGROUP_OOM_INIT;
}
