/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/freezer.h"

#include "base/clock.h"
#include "cgroup/file.h"
#include "os/kernel.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A v1 freezer that meets a fork at the wrong moment stays in FREEZING; thawing and trying again helps. */
#define FREEZE_RETRY_MS 50

/* In the order in which a freezer is looked for: the v1 mount that is called so, other v1 ones, v2. */
static int freezer_rank(const struct cgroup_dir *dir)
{
	if (dir->v2)
		return 2;
	return strstr(dir->mount, "freezer") ? 0 : 1;
}

/* The directory with a freezer, and its state. NULL if there is none. */
static const struct cgroup_dir *find_freezer(const struct cgroup_dir *dirs, size_t n, char *state,
					     size_t size)
{
	for (int rank = 0; rank <= 2; rank++) {
		for (size_t i = 0; i < n; i++) {
			const char *file = dirs[i].v2 ? "cgroup.freeze" : "freezer.state";

			if (freezer_rank(&dirs[i]) == rank &&
			    cgroup_file_read(dirs[i].path, file, state, size) >= 0)
				return &dirs[i];
		}
	}
	return NULL;
}

int cgroup_is_frozen(const struct cgroup_dir *dirs, size_t n)
{
	char state[32];
	const struct cgroup_dir *freezer = find_freezer(dirs, n, state, sizeof(state));

	if (!freezer)
		return 0;
	return freezer->v2 ? state[0] == '1' : strcmp(state, "THAWED") != 0;
}

/*
 * What a v1 freezer has stopped is not shown as asleep (S). Before Linux 6.1 it was, if it had slept where it needed not
 * be woken for the freezer's sake; v2's freezer lets its processes sleep.
 */
static bool frozen_is_never_asleep(const struct cgroup_dir *dirs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (freezer_rank(&dirs[i]) == 0)
			return os_kernel_version() >= OS_KERNEL(6, 1);
	}
	return false;
}

int cgroup_is_frozen_with(const struct cgroup_dir *dirs, size_t n, char state)
{
	if (state == 'S' && frozen_is_never_asleep(dirs, n))
		return 0;
	return cgroup_is_frozen(dirs, n);
}

static int set_frozen(const struct cgroup_dir *freezer, bool frozen)
{
	if (freezer->v2)
		return cgroup_file_write(freezer->path, "cgroup.freeze", frozen ? "1" : "0");
	return cgroup_file_write(freezer->path, "freezer.state", frozen ? "FROZEN" : "THAWED");
}

/* What is in @events from its start, which tells the kernel that we know of what has changed until now. */
static int read_events(int events)
{
	char text[256];
	ssize_t n = pread(events, text, sizeof(text) - 1, 0);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return strstr(text, "frozen 1") ? 0 : -EAGAIN;
}

/*
 * The kernel rings when a line of cgroup.events changes. Another line (populated) may be the one: hence the loop. The
 * file is read before the first wait, since a poll of one that was never read returns at once.
 */
static int freeze_v2(const struct cgroup_dir *freezer, int timeout_ms)
{
	defer_close int events = cgroup_file_open(freezer->path, "cgroup.events", O_RDONLY);
	struct pollfd change = { .fd = events, .events = POLLPRI };
	int64_t end_ms = clock_ms() + timeout_ms, left_ms = timeout_ms;
	int r;

	if (events < 0)
		return events;
	r = set_frozen(freezer, true);
	if (r == 0)
		r = read_events(events);
	while (r == -EAGAIN && left_ms > 0) {
		if (poll(&change, 1, (int)left_ms) < 0 && errno != EINTR)
			return -errno;
		r = read_events(events);
		left_ms = end_ms - clock_ms();
	}
	return r == -EAGAIN ? -ETIMEDOUT : r;
}

static bool is_frozen_v1(const struct cgroup_dir *freezer)
{
	char text[32];

	return cgroup_file_read(freezer->path, "freezer.state", text, sizeof(text)) >= 0 &&
	       strcmp(text, "FROZEN") == 0;
}

/* Nothing rings here; to read the state is what makes the kernel look whether all have stopped. */
static int freeze_v1(const struct cgroup_dir *freezer, int timeout_ms)
{
	int r = set_frozen(freezer, true);

	for (int waited_ms = 0; r == 0; waited_ms++) {
		if (is_frozen_v1(freezer))
			return 0;
		if (waited_ms >= timeout_ms)
			return -ETIMEDOUT;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		if (waited_ms % FREEZE_RETRY_MS == FREEZE_RETRY_MS - 1) {
			r = set_frozen(freezer, false);
			if (r == 0)
				r = set_frozen(freezer, true);
		}
	}
	return r;
}

int cgroup_freeze(const struct cgroup_dir *dirs, size_t n, int timeout_ms)
{
	char state[32];
	const struct cgroup_dir *freezer = find_freezer(dirs, n, state, sizeof(state));
	int r;

	if (!freezer)
		return -EOPNOTSUPP;
	r = freezer->v2 ? freeze_v2(freezer, timeout_ms) : freeze_v1(freezer, timeout_ms);
	/* Half frozen is worse than not at all; the error is the first one. */
	if (r < 0)
		(void)!set_frozen(freezer, false);
	return r;
}

bool cgroup_has_freezer(const struct cgroup_dir *dirs, size_t n)
{
	char state[32];

	return find_freezer(dirs, n, state, sizeof(state)) != NULL;
}

int cgroup_thaw(const struct cgroup_dir *dirs, size_t n)
{
	char state[32];
	const struct cgroup_dir *freezer = find_freezer(dirs, n, state, sizeof(state));

	return freezer ? set_frozen(freezer, false) : -EOPNOTSUPP;
}
