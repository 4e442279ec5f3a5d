/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Acting on namespaces and processes; plan_ns.c says who does what, and why in that order. */
#include "runtime/act.h"

#include "os/file.h"
#include "os/ns.h"
#include "os/prefault.h"
#include "os/process.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/vfs.h>

/*
 * step_proc_open() - the host's procfs, verified to be one
 *
 * Ids, sysctls and time offsets are written through this fd. The child inherits it; in the container's own root
 * nothing called /proc is ever trusted.
 */
int step_proc_open(struct act *a, const struct step *step, struct err *err)
{
	defer_close int fd = -EBADF;
	struct statfs fs;

	fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open \"/proc\"");
	if (fstatfs(fd, &fs) < 0)
		return err_sys(err, "look at \"/proc\"");
	if (fs.f_type != PROC_SUPER_MAGIC) {
		err_set(err, -EXDEV, "open \"/proc\": there is no procfs mounted on it");
		return err_hint(err, "mount -t proc proc /proc");
	}
	a->fd[step->out] = take_fd(&fd);
	return 0;
}

/* Is it the runtime's own namespace of that kind? */
static bool is_own_ns(int fd, enum ns_type type)
{
	char own[40];

	snprintf(own, sizeof(own), "/proc/self/ns/%s", ns_files[type]);
	return os_ns_is_own(fd, own) == 1;
}

/* Spec: config-linux.md "Namespaces": a path of another kind is an error (row L-3) */
int step_ns_open(struct act *a, const struct step *step, struct err *err)
{
	enum ns_type type = step->u.ns_open.type;
	defer_close int fd = -EBADF;

	fd = os_ns_open(step->u.ns_open.path, ns_clone_flags[type]);
	if (fd == -EINVAL) {
		err_user(err, "open \"%s\": it is not a %s namespace", step->u.ns_open.path,
			 ns_names[type]);
		return -EINVAL;
	}
	if (fd < 0)
		return err_set(err, fd, "open the %s namespace \"%s\"", ns_names[type],
			       step->u.ns_open.path);
	if (step->u.ns_open.not_own && is_own_ns(fd, type))
		return err_user(
			err,
			"join \"%s\": it is the host's %s namespace, and hostname, domainname, sysctl or "
			"netDevices would change the host",
			step->u.ns_open.path, ns_names[type]);
	a->fd[step->out] = take_fd(&fd);
	return 0;
}

int step_ns_join(struct act *a, const struct step *step, struct err *err)
{
	enum ns_type type = step->u.ns_join.type;
	int r = os_setns(a->fd[step->in[0]], ns_clone_flags[type]);

	if (r == -EINVAL && type == NS_USER) {
		err_set(err, r, "join the user namespace");
		return err_hint(
			err,
			"it may be the one that the runtime is in already: leave it out of the config");
	}
	return r < 0 ? err_set(err, r, "join the %s namespace", ns_names[type]) : 0;
}

/* ---- clone ------------------------------------------------------------------------------------------------------ */

/* The container's init. It never returns: it executes the user's program or ends. */
static void PREFAULT_BIRTHPLACE run_child(struct act *a)
{
	struct err err = ERR_INIT;

	prefault_code();
	prefault_stack(PREFAULT_STACK_CHILD, PREFAULT_STACK_BELOW);

	/* Its end of the pair must be the only one, or the parent would never see it gone; and no path back to the host. */
	if (a->sync_peer >= 0)
		close(take_fd(&a->sync_peer));
	if (a->state_dir >= 0)
		close(take_fd(&a->state_dir));
	(void)prctl(PR_SET_NAME, ACT_CHILD_NAME);

	/* The last step executes the program; the parent reads why it did not from the shared page. */
	_exit(act_run(a, STEP_CHILD, 0, &err) < 0 ? 1 : 0);
}

/* What stood in the way of a clone into a cgroup and into namespaces. */
static int clone_error(int code, int cgroup, const char *what, struct err *err)
{
	err_set(err, code, "clone %s", what);
	if (code == -EBUSY && cgroup >= 0)
		err_hint(
			err,
			"its cgroup has controllers enabled for children, so no process may be in it");
	if (code == -EOPNOTSUPP && cgroup >= 0)
		err_hint(err,
			 "its cgroup is threaded, or in a threaded one that is not its own domain");
	if (code == -EAGAIN && cgroup >= 0)
		err_hint(err, "the cgroup's pids limit, or RLIMIT_NPROC, is reached");
	if (code == -ENOSPC)
		err_hint(err,
			 "a limit on namespaces is reached: see /proc/sys/user/max_*_namespaces");
	return code;
}

static int cgroup_of(const struct act *a, const struct step *step)
{
	return step->in[0] == SLOT_NONE ? -1 : a->fd[step->in[0]];
}

/* The kernel's EINVAL does not say which. */
static void name_missing(uint64_t flags, struct err *err)
{
	struct err ignored = ERR_INIT;
	uint64_t known;

	if (facts_read_namespaces("", &known, &ignored) < 0)
		return;
	for (int type = 0; type < NS_TYPES; type++) {
		if (flags & ns_clone_flags[type] & ~known)
			err_hint(err, "this kernel has no %s namespaces", ns_names[type]);
	}
}

/*
 * step_clone() - make the container's init, in all new namespaces at once
 *
 * By the parent, or by the stage: then CLONE_PARENT makes the parent its parent all the same.
 *
 * Needs:  CAP_SYS_ADMIN in the user namespace that will own the new ones
 */
int PREFAULT_BIRTHPLACE step_clone(struct act *a, const struct step *step, struct err *err)
{
	uint64_t flags = step->u.clone.flags;
	int cgroup = cgroup_of(a, step), pidfd = -EBADF, parent_side = a->sync;
	pid_t pid;

	if (a->who == STEP_STAGE)
		flags |= CLONE_PARENT;
	pid = os_clone3(flags, cgroup, step->out == SLOT_NONE ? NULL : &pidfd);
	if (pid == 0) {
		a->sync = a->sync_peer;
		a->sync_peer = parent_side;
		run_child(a);
	}
	if (pid < 0) {
		clone_error(pid, cgroup, a->plan->enters ? "the process" : "the container's init",
			    err);
		if (pid == -EINVAL)
			name_missing(flags, err);
		return pid;
	}
	a->page->child_pid = pid;
	if (step->out != SLOT_NONE) {
		/* What either of the two writes now would else be copied page by page. A stage has nothing more to do. */
		prefault_stack(PREFAULT_STACK_ABOVE, PREFAULT_STACK_BELOW);
		a->fd[step->out] = pidfd;
		a->child_pid = pid;
		a->child_pidfd = pidfd;
		close(take_fd(&a->sync_peer));
	}
	return 0;
}

void undo_clone(struct act *a, const struct step *step)
{
	int status;

	if (a->child_pid <= 0)
		return;
	(void)kill(a->child_pid, SIGKILL);
	(void)os_reap(a->child_pid, &status);
	a->child_pid = 0;
}

/* The stage has ended by then; what is left of its work is the init. */
void undo_stage_fork(struct act *a, const struct step *step)
{
	undo_clone(a, step);
}

/* In memory that may be the parent's: so it works on a copy of what a process changes while it runs its steps. */
static void __attribute__((noreturn)) run_stage(void *arg)
{
	struct act a = *(const struct act *)arg;
	struct err err = ERR_INIT;

	_exit(act_run(&a, STEP_STAGE, 0, &err) < 0 ? 1 : 0);
}

static pid_t fork_stage(struct act *a, const struct step *step, int cgroup)
{
	pid_t stage;

	if (step->u.stage_fork.shared)
		return os_clone_shared(cgroup, run_stage, a);
	stage = os_clone3(0, cgroup, NULL);
	if (stage == 0)
		run_stage(a);
	return stage;
}

/*
 * step_stage_fork() - let a short-lived process join namespaces and clone the child there; ends when that is done
 *
 * For exec, and if it joins a cgroup namespace, it starts in the container's cgroup2, since only here the whole hierarchy is
 * in sight: with the mount option nsdelegate nobody gets into a cgroup from a cgroup namespace that doesn't show both ends.
 */
int step_stage_fork(struct act *a, const struct step *step, struct err *err)
{
	int status = 0, r, cgroup = cgroup_of(a, step);
	pid_t stage;

	stage = fork_stage(a, step, cgroup);
	if (stage < 0)
		return clone_error(stage, cgroup, "the stage", err);

	prefault_stack(PREFAULT_STACK_ABOVE, PREFAULT_STACK_BELOW);
	r = os_reap(stage, &status);
	/* Even a failed stage may have cloned an init. */
	a->child_pid = a->page->child_pid;
	if (r < 0)
		return err_set(err, r, "wait for the stage");
	close(take_fd(&a->sync_peer));
	if (a->page->err.code != 0 && a->child_pid == 0) {
		*err = a->page->err;
		return err->code;
	}
	if (a->child_pid == 0)
		return err_set(err, -ECHILD, "join the namespaces: the stage ended (status 0x%x)",
			       (unsigned)status);

	a->child_pidfd = os_pidfd_open(a->child_pid);
	if (a->child_pidfd < 0)
		return err_set(err, a->child_pidfd, "open the pidfd of the new process");
	a->fd[step->out] = a->child_pidfd;
	return 0;
}

/* ---- ids ------------------------------------------------------------------------------------------------------- */

int step_ns_root(struct act *a, const struct step *step, struct err *err)
{
	int r = os_become_root();

	return r < 0 ? err_set(err, r, "become root of the user namespace") : 0;
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

static size_t offset_line(char *buf, size_t size, const char *clock,
			  const struct config_time_offset *offset)
{
	if (!offset->set)
		return 0;
	return (size_t)snprintf(buf, size, "%s %lld %u\n", clock, (long long)offset->secs,
				offset->nanosecs);
}

/*
 * step_time_ns() - a new time namespace with offsets
 *
 * unshare() makes it for children only, so it is still empty and takes offsets; setns() to it then moves the child
 * itself, which freezes them.
 *
 * Spec: config-linux.md "Offset for Time Namespace"; time_namespaces(7)
 */
int step_time_ns(struct act *a, const struct step *step, struct err *err)
{
	defer_close int fd = -EBADF;
	char text[160];
	size_t len;
	int r;

	r = os_unshare(CLONE_NEWTIME);
	if (r < 0)
		return err_set(err, r, "unshare the time namespace");

	len = offset_line(text, sizeof(text), "monotonic", &step->u.time_ns.monotonic);
	len += offset_line(text + len, sizeof(text) - len, "boottime", &step->u.time_ns.boottime);
	r = os_file_write_at(a->fd[step->in[0]], "self/timens_offsets", text, len);
	if (r < 0) {
		err_set(err, r, "write the offsets of the time namespace");
		if (r == -ERANGE)
			err_hint(
				err,
				"an offset may not take a clock below zero or above half of its range");
		return r;
	}

	fd = openat(a->fd[step->in[0]], "self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open the new time namespace");
	r = os_setns(fd, CLONE_NEWTIME);
	return r < 0 ? err_set(err, r, "enter the new time namespace") : 0;
}

/* ---- small things in new namespaces ----------------------------------------------------------------------------- */

int step_loopback(struct act *a, const struct step *step, struct err *err)
{
	int r = os_loopback_up();

	return r < 0 ? err_set(err, r, "set the loopback interface up") : 0;
}

int step_hostname(struct act *a, const struct step *step, struct err *err)
{
	int r = os_sethostname(step->u.hostname.name);

	if (r < 0) {
		err_set(err, r, "set the hostname to \"%s\"", step->u.hostname.name);
		if (r == -EINVAL)
			err_hint(err, "a hostname has at most 64 bytes");
	}
	return r;
}

int step_domainname(struct act *a, const struct step *step, struct err *err)
{
	int r = os_setdomainname(step->u.domainname.name);

	if (r < 0) {
		err_set(err, r, "set the domainname to \"%s\"", step->u.domainname.name);
		if (r == -EINVAL)
			err_hint(err, "a domainname has at most 64 bytes");
	}
	return r;
}
