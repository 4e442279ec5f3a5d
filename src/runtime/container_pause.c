/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pause and resume, by the freezer of the container's cgroups. Under the lock, so that neither meets a delete halfway.
 *
 * A kill takes no lock. On v1 a SIGKILL that arrives just before the freeze would stay pending until a thaw that nobody
 * asks for. So a kill looks for a freeze after it has sent, a pause looks for a SIGKILL after it has frozen, and whichever
 * comes second sees the other. And an init that waits for the end of frozen children never freezes itself, so a pause
 * that takes long lets them go from time to time and looks whether the container is about to end. Rows K-7, K-9
 */
#include "runtime/container.h"

#include "cgroup/freezer.h"
#include "os/process.h"
#include "runtime/record.h"

#define FREEZE_ROUNDS   10
#define FREEZE_ROUND_MS (CGROUP_FREEZE_TIMEOUT_MS / FREEZE_ROUNDS)

static bool is_dying(pid_t pid)
{
	struct os_process_stat stat;

	return os_process_stat(pid, &stat) < 0 || stat.dying;
}

/* Return: 0; -ESRCH if init is dying; -errno. Nothing stays frozen on failure. */
static int freeze(const struct container *c)
{
	int r = -ETIMEDOUT;

	for (int round = 0; r == -ETIMEDOUT && round < FREEZE_ROUNDS; round++) {
		r = cgroup_freeze(c->cgroups, c->n_cgroups, FREEZE_ROUND_MS);
		if ((r == 0 || r == -ETIMEDOUT) && is_dying(c->pid)) {
			(void)!cgroup_thaw(c->cgroups, c->n_cgroups);
			return -ESRCH;
		}
	}
	return r;
}

static int freeze_error(int r, struct err *err)
{
	if (r == -ESRCH)
		return err_user_code(err, r, "container not running");
	if (r == -EOPNOTSUPP) {
		err_user_code(err, r, "pause the container: none of its cgroups has a freezer");
		return err_hint(err, "it needs cgroup v2, or the v1 controller \"freezer\"");
	}
	err_set(err, r, "freeze the processes of the container");
	if (r == -ETIMEDOUT)
		return err_hint(err, "a process hangs in the kernel: look for state D in ps; all "
				     "were thawed again");
	return r;
}

int container_pause(const char *root, const char *id, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	defer_close int dir = -EBADF;
	struct container c;
	int r;

	r = container_read_locked(&arena, root, id, &dir, &c, err);
	if (r < 0)
		return r;
	if (c.status != CONTAINER_CREATED && c.status != CONTAINER_RUNNING) {
		err_user_code(err, -ESRCH, "container not running");
		return err_hint(err, "it is %s", container_status_names[c.status]);
	}
	r = freeze(&c);
	return r < 0 ? freeze_error(r, err) : 0;
}

int container_resume(const char *root, const char *id, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	defer_close int dir = -EBADF;
	struct container c;
	int r;

	r = container_read_locked(&arena, root, id, &dir, &c, err);
	if (r < 0)
		return r;
	if (c.status != CONTAINER_PAUSED) {
		err_user(err, "container not paused");
		return err_hint(err, "it is %s", container_status_names[c.status]);
	}
	r = cgroup_thaw(c.cgroups, c.n_cgroups);
	if (r < 0)
		return err_set(err, r, "thaw the processes of the container");
	if (cgroup_is_frozen(c.cgroups, c.n_cgroups)) {
		err_user_code(err, -EBUSY, "thaw the processes of the container: they stay frozen");
		return err_hint(err, "a cgroup above the container's is frozen");
	}
	return 0;
}
