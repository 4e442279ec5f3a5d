/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running hooks: programs of the operator's that get the container's state on their standard input.
 *
 * Spec: config.md "POSIX-platform Hooks", runtime.md "Lifecycle"; rows H-1 to H-6, Z-8
 */
#ifndef TARE_RUNTIME_HOOKS_H
#define TARE_RUNTIME_HOOKS_H

#include "runtime/container.h"
#include "spec/annotations.h"

/* One run of one hook; what it points at is the caller's. */
struct hook_job {
	enum hook_kind kind;
	size_t index;                   /* in hooks.<kind> */
	const struct config_hook *hook; /* args and env end in NULL, args is not empty */
	const char *state_before, *state_after;
	pid_t pid; /* between these two: as the hook's pid namespace sees it */
	const char *cwd;
	int stdout_fd, stderr_fd; /* < 0: kept for the error message */
	int watch; /* a socket: if its other side goes away, the hook is killed; < 0: none */
};

/*
 * hook_job_run() - run it and wait until it ends, or its timeout does: then its process group is killed
 *
 * Uses no heap: the container's init runs hooks too. Only the hook's own end is waited for, not that of what it leaves
 * behind.
 *
 * Return: 0 if it exited with 0; otherwise -errno with *err: which hook, how it ended, the end of what it printed
 */
int hook_job_run(const struct hook_job *job, struct err *err) MUST_CHECK;

/* hook_copy() - with the NULLs that struct hook_job wants */
const struct config_hook *hook_copy(struct arena *arena, const struct config_hook *hook);

/*
 * hook_output_path() - the file that the annotation ANNOTATION_HOOKS_STDOUT or _STDERR (@key) names
 * Return: absolute, a relative one is the bundle's; NULL without the annotation
 */
const char *hook_output_path(struct arena *arena, const struct key_value_list *annotations,
			     const char *key, const char *bundle);

/* hook_output_open() - to append to. Return: an O_CLOEXEC fd; -errno and *err */
int hook_output_open(const char *path, struct err *err);

/* hook_run() - a hook that is in no plan (poststop): all that hook_job_run() needs is made here */
int hook_run(enum hook_kind kind, size_t index, const struct config_hook *hook,
	     const struct container *container, const char *status, struct err *err) MUST_CHECK;

#endif
