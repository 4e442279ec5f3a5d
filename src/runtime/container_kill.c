/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kill: a signal to init, or to everything in the container. */
#include "runtime/container.h"

#include "cgroup/freezer.h"
#include "cgroup/processes.h"
#include "os/process.h"

#include <signal.h>

/* Return: 1 if init has had it as well; 0 if nobody was found, or it doesn't matter; -errno */
static int signal_all(const struct container *c, int signal, struct err *err)
{
	int r;

	if (c->n_cgroups == 0)
		return 0;
	if (signal == SIGKILL)
		return cgroup_kill_all(c->cgroups, c->n_cgroups, err);
	r = cgroup_signal_all(c->cgroups, c->n_cgroups, signal, err);
	return r > 0 ? 1 : r;
}

/* Spec: runtime.md "Kill": only created or running, else an error and no effect (row Y-21) */
int container_kill(const char *root, const char *id, int signal, bool all, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	defer_close int pidfd = -EBADF;
	struct container c;
	int r;

	r = container_load(&arena, root, id, &c, err);
	if (r < 0)
		return r;
	/* Without a pid namespace of its own the others would outlive init. */
	if (signal == SIGKILL && !c.private_pid_ns)
		all = true;
	if (c.status == CONTAINER_STOPPED && all) {
		r = signal_all(&c, signal, err);
		return r < 0 ? r : 0;
	}
	if (c.status == CONTAINER_STOPPED || c.status == CONTAINER_CREATING || c.pid <= 0)
		return err_user_code(err, -ESRCH, "container not running");

	pidfd = os_process_open(c.pid, c.start_time);
	if (pidfd == -ESRCH)
		return err_user_code(err, -ESRCH, "container not running");
	if (pidfd < 0)
		return err_set(err, pidfd, "open the pidfd of the container's init");
	r = all ? signal_all(&c, signal, err) : 0;
	if (r != 0)
		return r < 0 ? r : 0;
	r = os_pidfd_kill(pidfd, signal);
	if (r == -ESRCH && !all)
		return err_user_code(err, -ESRCH, "container not running");
	if (r < 0 && r != -ESRCH)
		return err_set(err, r, "send signal %d to the container's init", signal);
	/*
	 * On v1 a frozen process dies only after it is thawed; on v2 at once (row K-9). Asked now and not before the
	 * signal: a pause may have come between, see container_pause.c.
	 */
	if (signal == SIGKILL && cgroup_is_frozen(c.cgroups, c.n_cgroups))
		(void)!cgroup_thaw(c.cgroups, c.n_cgroups);
	return 0;
}
