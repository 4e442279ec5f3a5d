/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Acting on who and where the container's process is: directory, stdio, umask, ids, capabilities, filter.
 * plan_process.c gives the order and says why it is that one.
 */
#include "runtime/act.h"

#include "base/guard.h"
#include "os/caps.h"
#include "os/cwd.h"
#include "os/exec.h"
#include "runtime/passwd.h"
#include "runtime/step_listener.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* ---- HOME ------------------------------------------------------------------------------------------------------- */

/*
 * step_home() - HOME for a process whose environment has none
 *
 * The container's /etc/passwd is the image's: it may be missing, a FIFO, or a gigabyte in one line. Whatever it is, the
 * answer comes at once, and is "/" at worst (row Q-12).
 */
int step_home(struct act *a, const struct step *step, struct err *err)
{
	defer_close int fd = -EBADF;
	char *home = a->home + strlen("HOME=");
	struct stat st;

	strcpy(a->home, "HOME=/");
	fd = open("/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if (passwd_home(fd, step->u.home.uid, home, sizeof(a->home) - strlen("HOME=")) < 0)
		strcpy(home, "/");
	return 0;
}

/* ---- cwd -------------------------------------------------------------------------------------------------------- */

static int cwd_error(const struct step *step, int code, struct err *err)
{
	const char *path = step->u.cwd.path;

	if (code == -ELOOP)
		return err_user_code(err, code,
				     "change directory to \"%s\": it leads through a link of "
				     "procfs, or too many links",
				     path);
	if (code == -EXDEV)
		return err_user_code(
			err, code,
			"change directory to \"%s\": it leads out of the container's root", path);
	/* The words by which an engine tells 127 and 126. */
	if (code == -ENOENT)
		return err_user_code(err, code,
				     "change directory to \"%s\": no such file or directory", path);
	if (code == -EACCES)
		return err_user_code(err, code, "change directory to \"%s\": permission denied",
				     path);
	return err_set(err, code, "change directory to \"%s\"", path);
}

/*
 * step_cwd() - the process's working directory
 *
 * First with the rights of root, so that a home with mode 0700 is fine; if that is denied (NFS that squashes root, a
 * user's FUSE mount) a second time as the user (row Q-10). Made with mode 0755 if it is not there, as the peers do.
 * It must end up inside the root, even if an fd of the host's were open: links of procfs lead nowhere, and the
 * kernel must be able to name the place (row X-3, CVE-2024-21626).
 */
int step_cwd(struct act *a, const struct step *step, struct err *err)
{
	int r;

	if (step->u.cwd.again && a->cwd_done)
		return 0;

	r = os_cwd_enter(step->u.cwd.path);
	if (r == -ENOENT && step->u.cwd.create) {
		r = os_cwd_make(step->u.cwd.path, 0755, act_made, a);
		if (r < 0)
			return err_set(err, r, "make the directory \"%s\"", step->u.cwd.path);
		r = os_cwd_enter(step->u.cwd.path);
	}
	if ((r == -EACCES || r == -EPERM) && !step->u.cwd.again)
		return 0;
	if (r < 0)
		return cwd_error(step, r, err);
	a->cwd_done = true;
	return 0;
}

/* ---- stdio, umask ----------------------------------------------------------------------------------------------- */

static bool is_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

/*
 * step_stdio_owner() - let the user open /dev/stdin, /dev/stdout and /dev/stderr again
 *
 * Never /dev/null, which is the host's. Where it can't be done (a read-only filesystem, an owner that the user namespace
 * doesn't know, a socket) the fds still work as they are (row M-23).
 */
int step_stdio_owner(struct act *a, const struct step *step, struct err *err)
{
	uint32_t uid = step->u.stdio_owner.uid;
	struct stat st;

	for (int fd = 0; fd <= 2; fd++) {
		if (fstat(fd, &st) < 0)
			return err_sys(err, "look at fd %d", fd);
		if (st.st_uid == uid || is_null(&st))
			continue;
		if (fchown(fd, uid, (gid_t)-1) < 0 && errno != EPERM && errno != EROFS &&
		    errno != EINVAL)
			return err_sys(err, "give fd %d to uid %u", fd, uid);
	}
	return 0;
}

int step_umask(struct act *a, const struct step *step, struct err *err)
{
	umask(step->u.umask.mask);
	return 0;
}

/* ---- ids and capabilities --------------------------------------------------------------------------------------- */

int step_bounding(struct act *a, const struct step *step, struct err *err)
{
	int r;

	for (int cap = 0; cap <= step->u.bounding.last_cap; cap++) {
		if (step->u.bounding.keep & 1ULL << cap)
			continue;
		r = os_caps_bounding_drop(cap);
		if (r == -EPERM) {
			err_set(err, r, "drop capability %d from the bounding set", cap);
			return err_hint(err,
					"that needs CAP_SETPCAP, which the runtime doesn't have");
		}
		if (r < 0)
			return err_set(err, r, "drop capability %d from the bounding set", cap);
	}
	return 0;
}

static int set_groups(const struct step *step, struct err *err)
{
	size_t n = step->u.ids.n_gids;
	int r = os_setgroups(step->u.ids.gids, n);

	/* In a user namespace that denies setgroups there is nothing to clear that may be cleared. */
	if (r == 0 || (r == -EPERM && n == 0))
		return 0;
	if (n == 0)
		return err_set(err, r, "clear the caller's additional groups");
	err_set(err, r, "set %zu additional groups", n);
	if (r == -EPERM)
		err_hint(err, "the user namespace may deny setgroups (see /proc/PID/setgroups)");
	if (r == -EINVAL)
		err_hint(err, "each must have a mapping in the user namespace");
	return err_at(err, "/process/user/additionalGids");
}

static void id_hint(int code, struct err *err)
{
	if (code == -EINVAL)
		err_hint(err, "it has no mapping in the user namespace");
	if (code == -EPERM)
		err_hint(err,
			 "that needs CAP_SETUID and CAP_SETGID, which the runtime doesn't have");
}

/* Spec: config.md "User": numbers of the container's user namespace (rows P-18, P-20) */
int step_ids(struct act *a, const struct step *step, struct err *err)
{
	int r;

	if (step->u.ids.keep_caps) {
		r = os_caps_keep();
		if (r < 0)
			return err_set(err, r, "keep capabilities over the change of ids");
	}
	if (step->u.ids.set_groups && (GUARD(groups) || step->u.ids.n_gids)) {
		r = set_groups(step, err);
		if (r < 0)
			return r;
	}
	r = os_setresgid(step->u.ids.gid);
	if (r < 0) {
		err_set(err, r, "become gid %u", step->u.ids.gid);
		id_hint(r, err);
		return r;
	}
	r = os_setresuid(step->u.ids.uid);
	if (r < 0) {
		err_set(err, r, "become uid %u", step->u.ids.uid);
		id_hint(r, err);
	}
	return r;
}

/* The ambient set: emptied unless the new permitted and inheritable sets empty it by themselves, then filled. */
static int set_ambient(const struct step *step, struct err *err)
{
	uint64_t ambient = step->u.capabilities.ambient;
	int r;

	if (!(step->u.capabilities.permitted & step->u.capabilities.inheritable))
		return 0;
	r = os_caps_ambient_clear();
	if (r < 0)
		return err_set(err, r, "clear the ambient capabilities");
	for (int cap = 0; cap < 64; cap++) {
		if (!(ambient & 1ULL << cap))
			continue;
		r = os_caps_ambient_raise(cap);
		if (r < 0)
			return err_set(err, r, "raise capability %d in the ambient set", cap);
	}
	return 0;
}

/* Spec: config.md "Linux Process", capabilities (rows P-10, Q-4) */
int step_capabilities(struct act *a, const struct step *step, struct err *err)
{
	int r;

	r = os_caps_set(step->u.capabilities.effective, step->u.capabilities.permitted,
			step->u.capabilities.inheritable);
	if (r < 0)
		return err_set(err, r, "set the capabilities");
	return step->u.capabilities.with_ambient ? set_ambient(step, err) : 0;
}

int step_no_new_privs(struct act *a, const struct step *step, struct err *err)
{
	int r = os_no_new_privs();

	return r < 0 ? err_set(err, r, "set no_new_privs") : 0;
}

/*
 * step_seccomp() - load the filter; with a listener, wait until somebody has it
 *
 * From here on any call but execve() may be one that the profile forbids, or that blocks until the agent answers. So the
 * listener is announced before, told by memory, and waited for in memory (listener_wait()).
 *
 * Spec: config-linux.md "Seccomp"; seccomp(2)
 */
int step_seccomp(struct act *a, const struct step *step, struct err *err)
{
	bool listener = step->u.seccomp.listener;
	int r = listener ? listener_announce(a, err) : 0;

	if (r < 0)
		return r;
	r = os_seccomp_load(step->u.seccomp.insns, step->u.seccomp.n, step->u.seccomp.flags,
			    listener);
	if (r >= 0)
		return listener ? listener_wait(a, r, err) : 0;
	if (r < 0) {
		err_set(err, r, "load the seccomp filter of %u instructions", step->u.seccomp.n);
		if (r == -EACCES)
			err_hint(err, "without noNewPrivileges that needs CAP_SYS_ADMIN, which the "
				      "runtime doesn't have");
		if (r == -EINVAL)
			err_hint(err, "the kernel may not have one of the flags, or no seccomp "
				      "filters at all");
		if (r == -ENOMEM)
			err_hint(err,
				 "all filters of a process together may have 32768 instructions");
	}
	return r;
}
