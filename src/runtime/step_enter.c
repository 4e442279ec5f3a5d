/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Acting on a container that is there already, for exec: hold its init, enter its namespaces, and take nothing of the
 * host's along. plan_enter.c says who does what.
 */
#include "runtime/act.h"

#include "base/guard.h"
#include "os/ns.h"
#include "os/process.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>

static int not_running(struct err *err)
{
	return err_user_code(err, -ESRCH, "container not running");
}

/* step_init_open() - the init of the record and no other process that has its pid now (row Z-1) */
int step_init_open(struct act *a, const struct step *step, struct err *err)
{
	int pidfd = os_process_open(step->u.init_open.pid, step->u.init_open.start_time);

	if (pidfd == -ESRCH)
		return not_running(err);
	if (pidfd < 0)
		return err_set(err, pidfd, "open the pidfd of the container's init");
	a->fd[step->out] = pidfd;
	return 0;
}

/* ---- namespaces ------------------------------------------------------------------------------------------------- */

/* All are opened before the first is joined: afterwards /proc may be another, and the right to look is gone. */
static int open_each(const struct act *a, const struct step *step, int fds[NS_TYPES],
		     struct err *err)
{
	char path[32];

	for (int type = 0; type < NS_TYPES; type++) {
		if (!(step->u.ns_enter.flags & ns_clone_flags[type]))
			continue;
		snprintf(path, sizeof(path), "%d/ns/%s", (int)step->u.ns_enter.pid, ns_files[type]);
		fds[type] = openat(a->fd[step->in[1]], path, O_RDONLY | O_CLOEXEC);
		if (fds[type] < 0 && errno == ENOENT)
			return not_running(err);
		if (fds[type] < 0)
			return err_sys(err, "open the %s namespace of the container",
				       ns_names[type]);
	}
	return 0;
}

/*
 * A kernel before 5.8, or a filter that knows setns() of old only. The user namespace comes last: the host's root may join
 * all others (row Q-1). The stage ends right after it, so nothing is closed here.
 */
static int enter_one_by_one(const struct act *a, const struct step *step, struct err *err)
{
	static const enum ns_type order[NS_TYPES] = { NS_CGROUP, NS_NETWORK, NS_IPC,   NS_UTS,
						      NS_TIME,   NS_PID,     NS_MOUNT, NS_USER };
	int fds[NS_TYPES], r;

	for (int type = 0; type < NS_TYPES; type++)
		fds[type] = -EBADF;
	r = open_each(a, step, fds, err);
	/* The process whose they are: is it still the one that we hold? */
	if (r == 0 && os_pidfd_ended(a->fd[step->in[0]], 0) == 1)
		return not_running(err);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(order); i++) {
		if (fds[order[i]] < 0)
			continue;
		r = os_setns(fds[order[i]], ns_clone_flags[order[i]]);
		if (r < 0)
			err_set(err, r, "join the %s namespace of the container",
				ns_names[order[i]]);
	}
	return r;
}

/*
 * step_ns_enter() - join the namespaces of a container, all at once or none
 *
 * By its init's pidfd: an init that ends meanwhile leaves nobody half inside (row Q-21).
 *
 * Man: setns(2), since Linux 5.8
 */
int step_ns_enter(struct act *a, const struct step *step, struct err *err)
{
	int r = os_setns(a->fd[step->in[0]], step->u.ns_enter.flags);

	if (r == -ESRCH)
		return not_running(err);
	if (r == -EINVAL || r == -ENOSYS)
		return enter_one_by_one(a, step, err);
	return r < 0 ? err_set(err, r, "join the namespaces of the container") : 0;
}

/*
 * step_close_unneeded() - hold nothing of the host's from here on
 *
 * In the stage, before the child is born: from its first moment others in the container can see the child, and with
 * CAP_SYS_PTRACE they can reach its fds (row X-2).
 */
int step_close_unneeded(struct act *a, const struct step *step, struct err *err)
{
	int r = GUARD(enter_close) ? act_close_unneeded(a, a->sync_peer, -EBADF) : 0;

	if (r < 0)
		return err_set(err, r, "close the host's files");
	a->sync = -EBADF;
	a->state_dir = -EBADF;
	return 0;
}
