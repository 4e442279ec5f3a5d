/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/remove.h"

#include "engine/control.h"
#include "runtime/container.h"

#include <signal.h>

static int refuse_running(const char *id, struct err *err)
{
	err_user_code(err, -EBUSY, "container %.12s is running", id);
	return err_hint(err, "--force kills it first");
}

static int refuse_restarting(const char *id, struct err *err)
{
	err_user_code(err, -EBUSY, "container %.12s is about to be started again", id);
	return err_hint(err, "tare stop ends that; --force removes it");
}

static int kill_it(const char *oci_root, const char *id, struct err *err)
{
	int r = container_kill(oci_root, id, SIGKILL, true, err);

	/* It may have ended, or gone, by itself. */
	return r == -ESRCH || r == -ENOENT ? 0 : r;
}

int container_remove(const struct roots *roots, const char *id, bool force,
		     const struct report *report, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	defer_container_dir struct container_dir dir = CONTAINER_DIR_INIT;
	const char *oci_root = containers_oci_root(&arena, roots);
	struct container_record record = { .name = NULL };
	struct err unreadable = ERR_INIT;
	int r = containers_load(&arena, roots, id, &record, &unreadable);

	/* What a newer tare made may need more than we know of. */
	if (r == -EPROTONOSUPPORT) {
		*err = unreadable;
		return r;
	}
	r = force ? control_forbid_restart(roots, id, err) : 0;
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (control_runs(roots, id, NULL)) {
		if (!force)
			return refuse_running(id, err);
		r = kill_it(oci_root, id, err);
	} else if (!unreadable.code && record.restarting && !force) {
		return refuse_restarting(id, err);
	}
	if (r == 0)
		r = control_lock_when_ended(&arena, roots, id, &dir, err);
	/* By force it was to go, and it has gone. */
	if (r == -ENOENT && force)
		return 0;
	if (r == 0)
		r = container_delete(oci_root, id, true, report, err);
	if (r < 0)
		return r;
	/* One whose record can't be read has no name to be released: it is free once the directory is gone. */
	if (unreadable.code)
		record.name = NULL;
	return containers_remove(roots, &dir, record.name, err);
}
