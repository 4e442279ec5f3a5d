/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding the user's program and becoming it.
 *
 * The words are a contract: podman, conmon and containerd take "executable file not found in $PATH" and "no such file or
 * directory" for status 127, "permission denied" and "operation not permitted" for 126, so no other error of tare's
 * may contain them (base/err.h), and these must.
 */
#include "runtime/act.h"

#include "base/guard.h"
#include "os/exec.h"

#include <linux/close_range.h>
#include <stdio.h>
#include <string.h>

/* ---- errors ----------------------------------------------------------------------------------------------------- */

static int exec_error(const char *name, int code, struct err *err)
{
	char number[96];

	switch (code) {
	case -ENOENT:
		if (!strchr(name, '/'))
			return err_user_code(err, code,
					     "exec: \"%s\": executable file not found in $PATH",
					     name);
		return err_user_code(err, code, "exec: \"%s\": no such file or directory", name);
	case -ENOTDIR:
		return err_user_code(
			err, code,
			"exec: \"%s\": no such file or directory (a part of the path is no "
			"directory)",
			name);
	case -EACCES:
		return err_user_code(err, code, "exec: \"%s\": permission denied", name);
	case -EPERM:
		return err_user_code(err, code, "exec: \"%s\": operation not permitted", name);
	case -ENOEXEC:
		return err_user_code(err, code, "exec: \"%s\": exec format error", name);
	default:
		return err_user_code(err, code, "exec: \"%s\": %s", name,
				     errno_text(code, number, sizeof(number)));
	}
}

static int execve_error(const char *name, int code, struct err *err)
{
	/* FIND_EXECUTABLE saw the file, so it is not the file that is missing. */
	if (code == -ENOENT) {
		err_user_code(err, code, "exec: \"%s\": no such file or directory", name);
		return err_hint(err, "the file is there: it is the interpreter in its first line, "
				     "or its dynamic loader, "
				     "that the container doesn't have");
	}
	exec_error(name, code, err);
	if (code == -ENOEXEC)
		err_hint(err,
			 "the program is for another architecture, or a script without a #! line");
	if (code == -EACCES)
		err_hint(err, "the user needs the right to execute it and to search each directory "
			      "before it, and its mount "
			      "must not be noexec");
	if (code == -EAGAIN)
		err_hint(err, "the user has more processes than RLIMIT_NPROC allows");
	if (code == -E2BIG)
		err_hint(err,
			 "process.args and process.env are too long together, see RLIMIT_STACK");
	return code;
}

/* ---- looking ---------------------------------------------------------------------------------------------------- */

static int candidate(char *buf, size_t size, const char *dir, const char *name)
{
	bool slash = dir[0] && dir[strlen(dir) - 1] == '/';
	int len = snprintf(buf, size, "%s%s%s", dir, slash ? "" : "/", name);

	return (size_t)len < size ? 0 : -ENAMETOOLONG;
}

/* As execvp(3): the first that can be executed; one that may not is reported only if there is no other. */
static int search_path(struct act *a, const struct step *step)
{
	const struct str_list *dirs = &step->u.find_executable.path_dirs;
	int result = -ENOENT, r;

	if (!step->u.find_executable.name[0])
		return -ENOENT;
	for (size_t i = 0; i < dirs->n; i++) {
		r = candidate(a->executable, sizeof(a->executable), dirs->items[i],
			      step->u.find_executable.name);
		if (r == 0)
			r = os_executable(a->executable);
		if (r == 0)
			return 0;
		if (r == -EACCES || r == -EPERM)
			result = -EACCES;
	}
	return result;
}

/*
 * step_find_executable() - the file that process.args names, looked for in the container, with the rights of root
 *
 * Whether the user may execute it too, only execve() can tell, so step_exec() goes on looking where this found one.
 *
 * Spec: config.md "Process", args: the rules of execvp(3) (rows P-5, Q-11)
 */
int step_find_executable(struct act *a, const struct step *step, struct err *err)
{
	const char *name = step->u.find_executable.name;
	int r;

	if (!step->u.find_executable.path) {
		r = search_path(a, step);
		return r < 0 ? exec_error(name, r, err) : 0;
	}

	/* With a slash it is executed as it is written, since a script sees that; it is relative to process.cwd. */
	r = os_executable(step->u.find_executable.path);
	if (r == 0 && strlen(name) >= sizeof(a->executable))
		r = -ENAMETOOLONG;
	if (r < 0)
		return exec_error(name, r, err);
	snprintf(a->executable, sizeof(a->executable), "%s", name);
	return 0;
}

/* ---- fds -------------------------------------------------------------------------------------------------------- */

/*
 * step_close_fds() - nothing of the host's stays open but what was asked for
 *
 * All of our fds are O_CLOEXEC anyway; this is the second lock on the door (row X-3, CVE-2024-21626), and it is closed
 * before ids and capabilities change, since then other processes of that user might look into us.
 */
int step_close_fds(struct act *a, const struct step *step, struct err *err)
{
	unsigned preserve = step->u.close_fds.preserve_fds;
	int r;

	for (unsigned i = 0; i < preserve; i++) {
		r = os_fd_inherit(3 + (int)i);
		if (r < 0)
			return err_set(err, r, "preserve fd %u", 3 + i);
	}
	if (!GUARD(close_fds))
		return 0;
	/* But the two sockets that must see the execve. */
	r = os_close_all_but(3 + preserve, (int[]){ a->sync, a->start_conn }, 2);
	return r < 0 ? err_set(err, r, "close all other fds") : 0;
}

/* ---- becoming it ------------------------------------------------------------------------------------------------ */

/* The rest of PATH, for a user who may not execute what root found. Only execve(): a filter may forbid all else. */
static int try_path(struct act *a, const struct step *step)
{
	const struct str_list *dirs = &step->u.exec.path_dirs;
	const char *name = step->u.exec.argv[0];
	char path[PATH_MAX];
	int r;

	for (size_t i = 0; i < dirs->n; i++) {
		if (candidate(path, sizeof(path), dirs->items[i], name) < 0 ||
		    strcmp(path, a->executable) == 0)
			continue;
		r = os_execve(path, step->u.exec.argv, step->u.exec.envp);
		if (r != -ENOENT && r != -EACCES && r != -ENOTDIR)
			return r;
	}
	return -EACCES;
}

/* step_exec() - returns only to say why not */
int step_exec(struct act *a, const struct step *step, struct err *err)
{
	int r;

	if (!step->u.exec.argv) {
		err_user(err, "start a container whose config has no process");
		return err_hint(err, "add process to config.json and create it again");
	}
	if (a->home[0])
		step->u.exec.envp[step->u.exec.n_env] = a->home;
	if (step->u.exec.listen_pid)
		snprintf(step->u.exec.listen_pid, strlen(step->u.exec.listen_pid) + 1,
			 "LISTEN_PID=%d", (int)getpid());

	r = os_execve(a->executable, step->u.exec.argv, step->u.exec.envp);
	if (r == -EACCES && step->u.exec.path_dirs.n > 0)
		r = try_path(a, step);
	return execve_error(step->u.exec.argv[0], r, err);
}
