/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last things a process does before it executes another program: ids, signals, fds, filter, execve. All are bare
 * system calls, so they are safe in a child that shares nothing but luck with the C library.
 */
#ifndef TARE_OS_EXEC_H
#define TARE_OS_EXEC_H

#include "base/defer.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

int os_setgroups(const uint32_t *gids, size_t n) MUST_CHECK;
int os_setresgid(uint32_t gid) MUST_CHECK; /* real, effective, saved */
int os_setresuid(uint32_t uid) MUST_CHECK;
int os_setsid(void) MUST_CHECK;
int os_undumpable(void) MUST_CHECK;

/*
 * os_signals_default() - no signal blocked, none ignored
 * @proc: a procfs that shows this process as "self"; tells which signals are ignored, which saves asking for each of
 *        the 64; < 0, or one that can't tell: each is asked for
 */
int os_signals_default(int proc) MUST_CHECK;

/* os_cloexec_from() - let execve() close every fd from @first up */
int os_cloexec_from(int first) MUST_CHECK;

int os_close_range(unsigned first, unsigned last) MUST_CHECK;

/* os_close_all_but() - close every fd from @first up but @keep, of which negative ones do not count; @keep gets sorted */
int os_close_all_but(unsigned first, int *keep, size_t n) MUST_CHECK;

/* os_fd_inherit() - let @fd survive execve. Return: 0; -EBADF if it is not open */
int os_fd_inherit(int fd) MUST_CHECK;

int os_no_new_privs(void) MUST_CHECK;

/*
 * os_seccomp_load() - from its return on the filter is in force
 * @listener: make an fd on which another process receives notifications
 *
 * Needs:  no_new_privs, or CAP_SYS_ADMIN in the user namespace
 * Return: 0, or the listener, an O_CLOEXEC fd; -EBUSY if an earlier filter has a listener; -errno
 */
int os_seccomp_load(const struct sock_filter *insns, uint16_t n, uint32_t flags,
		    bool listener) MUST_CHECK;

/*
 * os_executable() - could @path be executed?
 * Return: 0; -EACCES if it is no regular file or not executable; -ENOENT; -errno
 */
int os_executable(const char *path) MUST_CHECK;

/* os_execve() - returns only to say why it failed: -errno */
int os_execve(const char *path, char *const *argv, char *const *envp);

#endif
