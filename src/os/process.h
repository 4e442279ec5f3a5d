/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes: making them, naming them for ever, ending them.
 *
 * A pid alone is a name that the kernel gives away again. Here a process is a pid with the start time that
 * /proc/PID/stat gives for it, checked after a pidfd was opened: then the pidfd is known to be that process.
 */
#ifndef TARE_OS_PROCESS_H
#define TARE_OS_PROCESS_H

#include "base/defer.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * os_clone3() - clone3(2) like fork: the child returns 0 on a copy of the stack
 * @flags:      CLONE_NEW* and others; SIGCHLD is the exit signal, CLONE_PIDFD is added if @ret_pidfd is not NULL
 * @cgroup:     directory fd of a cgroup2 to start in (CLONE_INTO_CGROUP), or < 0
 * @ret_pidfd:  receives an O_CLOEXEC pidfd in the parent; may be NULL
 * Return: the child's pid, 0 in the child, -errno
 */
pid_t os_clone3(uint64_t flags, int cgroup, int *ret_pidfd);

/*
 * os_clone_shared() - a process that runs @fn(@arg) in the caller's memory, while the caller sleeps until it has ended
 * @cgroup: as for os_clone3()
 * @fn:     must not return; what it writes to memory, errno too, the caller finds written. All else is a copy, as after fork
 *
 * As vfork(2), but @fn has stack frames of its own, below the caller's: nothing of these is overwritten. Nothing is copied
 * and no page is faulted in again, which is nearly all that a short-lived process costs.
 *
 * Must not be used for a process that enters a time namespace: the kernel refuses it to whoever shares memory.
 *
 * No signal tells of its end, and so none of the end of what it clones with CLONE_PARENT: the caller knows.
 *
 * Return: the process's pid, which is to be reaped by os_reap(); -errno
 */
pid_t os_clone_shared(int cgroup, void (*fn)(void *arg), void *arg);

/* os_clone_shared_files() - the same, and the files are the caller's as well: what @fn opens the caller has open */
pid_t os_clone_shared_files(void (*fn)(void *arg), void *arg);

/* os_pidfd_open() - Return: an O_CLOEXEC fd, -ESRCH if there is no such process, -errno */
int os_pidfd_open(pid_t pid);

/*
 * os_pidfd_getfd() - our own copy of the other process's file @fd
 *
 * Needs:  the right to ptrace it
 * Return: an O_CLOEXEC fd; -EBADF if it has no such file; -errno
 */
int os_pidfd_getfd(int pidfd, int fd);

/* os_pidfd_kill() - Return: 0, -ESRCH if it has ended, -errno */
int os_pidfd_kill(int pidfd, int signal);

/* os_pidfd_ended() - has it ended? Return: 1 if so within @timeout_ms (-1: wait for ever), 0 if not, -errno */
int os_pidfd_ended(int pidfd, int timeout_ms);

/* os_pid_ns() - the inode that names our pid namespace; 0 if it can't be known */
uint64_t os_pid_ns(void);

struct os_process_stat {
	char comm[64];
	char state;          /* R, S, D, Z, X, ... */
	bool dying;          /* it exits, or a SIGKILL is on its way to it; fields 9 and 31 */
	uint64_t start_time; /* clock ticks since boot; field 22 */
	/* as waitpid's status, once it is a zombie; field 52, 0 without the right to see it */
	int exit_code;
};

/* os_process_stat() - read /proc/@pid/stat. Return: 0; -ENOENT if there is no such process; -errno */
int os_process_stat(pid_t pid, struct os_process_stat *ret);

/*
 * os_process_open() - a pidfd of the process that had @pid and @start_time
 * Return: an fd; -ESRCH if that process is gone (even if another has its pid now); -errno
 */
int os_process_open(pid_t pid, uint64_t start_time);

/*
 * os_kill_child_groups() - SIGKILL for the process group that each child of @parent leads
 *
 * @parent should be stopped, so that none of its children's pids can be given away meanwhile. A kernel without
 * /proc/PID/task/PID/children has no list of them: then nothing happens.
 */
void os_kill_child_groups(pid_t parent);

/* os_reap() - waitpid() for one child, restarted after signals. Return: 0 and *ret_status; -errno */
int os_reap(pid_t pid, int *ret_status);

#endif
