/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running another program beside us, without the heap: for hooks, which the container's init runs too. */
#ifndef TARE_OS_SPAWN_H
#define TARE_OS_SPAWN_H

#include "base/defer.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct os_spawn {
	const char *path;
	char *const *argv, *const *envp;
	const char *cwd; /* "/" is used if it can't be entered */
	int stdio[3];    /* what becomes fd 0, 1 and 2 */
	/* what becomes fd 3 and on: @n_fds of them, at most SPAWN_FDS_MAX; @prepare may change them */
	const int *fds;
	size_t n_fds;
	bool independent; /* it stays in our process group, and alive if we die */
	/*
	 * Called in the child before anything else, in memory that is still ours, so it may only call the kernel; what it
	 * needs is closed afterwards. NULL: nothing. Return: 0; -errno, which os_spawn() returns
	 */
	int (*prepare)(void *arg);
	void *arg;
};

#define SPAWN_FDS_MAX 16

/*
 * os_spawn() - start a program in a process group of its own, with the fds that are named and default signals
 * @ret_pid: the child, which is also its group; to be reaped by the caller
 *
 * It is killed if we die first. Returns once it executes, or can't: then nothing is left of it.
 *
 * Return: 0; -errno of what failed, execve included; -E2BIG if there are too many fds
 */
int os_spawn(const struct os_spawn *spawn, pid_t *ret_pid) MUST_CHECK;

/*
 * os_find_program() - the first of that name that can be executed, in the directories of our own PATH
 * @name: without a "/"
 *
 * Relative directories are passed over: what is in the current one is not the host's. Without PATH: the usual directories.
 * Return: 0 and the absolute path in @buf; -ENOENT
 */
int os_find_program(const char *name, char *buf, size_t size) MUST_CHECK;

/*
 * os_memfd_text() - an unnamed file with this text, to be read from its beginning
 *
 * As standard input it is better than a pipe: who doesn't read it, or not to the end, makes no writer wait or fail.
 *
 * Return: an O_CLOEXEC fd; -errno
 */
int os_memfd_text(const char *name, const char *const *parts, size_t n);

#endif
