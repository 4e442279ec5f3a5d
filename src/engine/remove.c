/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/remove.h"

#include "base/clock.h"
#include "runtime/container.h"

#include <poll.h>
#include <signal.h>

/* How long the one who has it in the foreground may take to see its end, and how often to look. */
#define LET_GO_MS 10000
#define LOOK_MS   10

static bool runs(const char *oci_root, const char *id)
{
	defer_arena struct arena arena = { 0 };
	struct err ignored = ERR_INIT;
	struct container c;

	return container_load(&arena, oci_root, id, &c, &ignored) == 0 &&
	       c.status != CONTAINER_STOPPED && !c.left_over;
}

static int refuse_running(const char *id, struct err *err)
{
	err_user_code(err, -EBUSY, "container %.12s is running", id);
	return err_hint(err, "--force kills it first");
}

static int kill_it(const char *oci_root, const char *id, struct err *err)
{
	int r = container_kill(oci_root, id, SIGKILL, true, err);

	/* It may have ended, or gone, by itself. */
	return r == -ESRCH || r == -ENOENT ? 0 : r;
}

/* Return: 0; -ENOENT: its --rm was quicker; -EBUSY; -errno */
static int lock_when_let_go(struct arena *arena, const struct roots *roots, const char *id,
			    struct container_dir *ret, struct err *err)
{
	int64_t deadline = clock_ms() + LET_GO_MS;
	int r;

	while ((r = containers_lock(arena, roots, id, ret, err)) == -EBUSY && clock_ms() < deadline)
		(void)poll(NULL, 0, LOOK_MS);
	return r;
}

int container_remove(const struct roots *roots, const char *id, bool force,
		     const struct report *report, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	defer_container_dir struct container_dir dir = CONTAINER_DIR_INIT;
	const char *oci_root = containers_oci_root(&arena, roots);
	struct container_record record = { .name = NULL };
	struct err unreadable = ERR_INIT;
	int r = 0;

	if (runs(oci_root, id)) {
		if (!force)
			return refuse_running(id, err);
		r = kill_it(oci_root, id, err);
	}
	if (r == 0)
		r = lock_when_let_go(&arena, roots, id, &dir, err);
	/* By force it was to go, and it has gone. */
	if (r == -ENOENT && force)
		return 0;
	if (r == 0)
		r = container_delete(oci_root, id, true, report, err);
	if (r < 0)
		return r;
	/* One whose record can't be read has no name to be released: it is free once the directory is gone. */
	if (containers_load(&arena, roots, id, &record, &unreadable) < 0)
		record.name = NULL;
	return containers_remove(roots, &dir, record.name, err);
}
