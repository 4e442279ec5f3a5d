/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Acting on what the child leaves behind first: the caller's session, its ignored signals, its keys. */
#include "runtime/act.h"

#include "base/guard.h"
#include "os/exec.h"
#include "os/file.h"
#include "os/keyring.h"
#include "os/lsm.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

/* step_session() - a session of its own: the caller's terminal is not the container's (row X-19) */
int step_session(struct act *a, const struct step *step, struct err *err)
{
	int r;

	r = GUARD(session) ? os_setsid() : 0;
	return r < 0 ? err_set(err, r, "start a session") : 0;
}

/* step_undumpable() - nobody may look into the process, until it executes the program (row X-2, CVE-2016-9962) */
int step_undumpable(struct act *a, const struct step *step, struct err *err)
{
	int r = GUARD(undumpable) ? os_undumpable() : 0;

	return r < 0 ? err_set(err, r, "close the process to ptrace") : 0;
}

/* step_signals() - none blocked, none ignored; execve() keeps both, so what a shell or nohup left would stay (row Q-16) */
int step_signals(struct act *a, const struct step *step, struct err *err)
{
	int r = os_signals_default(a->fd[step->in[0]]);

	return r < 0 ? err_set(err, r, "reset the signals") : 0;
}

static const char *label_file(const struct act *a, const struct step *step)
{
	const char *old = step->u.label.old_file;

	return old && os_lsm_attr_exists(a->fd[step->in[0]], step->u.label.file) == 0
		       ? old
		       : step->u.label.file;
}

/* Without its guard: to what stands at /proc in the container. */
static int write_label_by_path(const char *file, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/attr/%s", file);
	return os_file_write_at(AT_FDCWD, path, text, strlen(text));
}

/*
 * step_label() - tell a security module what we are from the next execve() on, or what our next keyring is
 *
 * Through the host's procfs, which was verified and where nothing that is mounted over a file is entered: a file of the
 * image's in its place would take the text, and the program would run unconfined (rows; CVE-2019-16884).
 * The path stands in backquotes: podman knows errors of security modules by that.
 *
 * Spec: config.md "Linux Process", apparmorProfile, selinuxLabel (rows P-8, P-9, Q-9)
 */
int step_label(struct act *a, const struct step *step, struct err *err)
{
	const char *file = label_file(a, step);
	int r = GUARD(label_proc) ? os_lsm_attr_write(a->fd[step->in[0]], file, step->u.label.text)
				  : write_label_by_path(file, step->u.label.text);

	if (r == 0)
		return 0;
	err_set(err, r, "write \"%s\" to `/proc/self/attr/%s`", step->u.label.text, file);
	if (r == -ENOENT)
		err_hint(err, "the profile has to be loaded before: apparmor_parser -r FILE");
	if (r == -EINVAL)
		err_hint(err, "the policy that is loaded knows no such label");
	if (r == -EACCES)
		err_hint(err,
			 "the policy that is loaded does not let the runtime take on that label");
	return r;
}

/* The keyring of that name may be another user's who guessed the container's id and lets everybody search it. */
static int join_own_keyring(const char *name)
{
	uint32_t owner;
	int serial, r;

	serial = os_keyring_join(name);
	if (serial < 0)
		return serial;
	r = os_keyring_owner(serial, &owner);
	if (r < 0)
		return r;
	/* The kernel told our id at the exec; where we have joined a user namespace since then, it is another. */
	if (owner == getauxval(AT_UID) || owner == getuid())
		return serial;
	return os_keyring_join(NULL);
}

/*
 * step_keyring() - a session keyring for the container, so that it does not use its caller's keys
 *
 * Spec:   none; as the peers do (row X-20)
 * Return: 0, also where the kernel has no keys; otherwise -errno
 */
int step_keyring(struct act *a, const struct step *step, struct err *err)
{
	int serial, r;

	if (!GUARD(keyring))
		return 0;
	serial = join_own_keyring(step->u.keyring.name);
	if (serial == -ENOSYS)
		return 0;
	if (serial < 0) {
		err_set(err, serial, "join the session keyring \"%s\"", step->u.keyring.name);
		if (serial == -EDQUOT)
			err_hint(err, "the user has too many keys: raise the sysctl "
				      "kernel.keys.root_maxkeys, or use "
				      "--no-new-keyring");
		if (serial == -EPERM)
			err_hint(err,
				 "a seccomp filter may forbid keyctl here: use --no-new-keyring");
		return serial;
	}

	r = os_keyring_restrict(serial);
	return r < 0 ? err_set(err, r, "restrict the session keyring \"%s\"", step->u.keyring.name)
		     : 0;
}
