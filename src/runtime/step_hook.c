/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/act.h"

#include "runtime/hooks.h"

int step_hook_output(struct act *a, const struct step *step, struct err *err)
{
	int fd = hook_output_open(step->u.hook_output.path, err);

	if (fd < 0)
		return fd;
	a->fd[step->out] = fd;
	return 0;
}

static int slot_fd(const struct act *a, int16_t slot)
{
	return slot == SLOT_NONE ? -EBADF : a->fd[slot];
}

/* Who waits for a hook in the container: `create` or `run`, or the `start` that let it go on. */
static int other_side(const struct act *a)
{
	return a->start_conn >= 0 ? a->start_conn : a->sync;
}

/*
 * step_hook() - run one hook
 *
 * On the container's side the pid in the state is the container's own view of it (row Y-4), and a runtime that is gone
 * ends a hook that hangs: the init must not outlive it before the hand-over, nor go on without whoever would hear of its
 * errors.
 */
int step_hook(struct act *a, const struct step *step, struct err *err)
{
	bool inside = a->who == STEP_CHILD;
	const struct hook_job job = {
		.kind = step->u.hook.kind,
		.index = step->u.hook.index,
		.hook = step->u.hook.hook,
		.state_before = step->u.hook.state_before,
		.state_after = step->u.hook.state_after,
		.pid = inside ? getpid() : a->child_pid,
		.cwd = step->u.hook.cwd,
		.stdout_fd = slot_fd(a, step->in[0]),
		.stderr_fd = slot_fd(a, step->in[1]),
		.watch = inside ? other_side(a) : -1,
	};

	return hook_job_run(&job, err);
}
