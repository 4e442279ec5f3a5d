/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Namespaces: joining, leaving, asking what one is. And the few calls that only make sense in a new one. */
#ifndef TARE_OS_NS_H
#define TARE_OS_NS_H

#include "base/defer.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * os_ns_open() - open a namespace file and check its kind
 * @flag: the CLONE_NEW* that it must be
 * Return: an O_CLOEXEC fd; -EINVAL if it is no namespace or one of another kind; -errno
 */
int os_ns_open(const char *path, uint64_t flag);

/* os_ns_is_own() - is it the namespace that this process is in? @own: its file, e.g. "/proc/self/ns/net". 1, 0, -errno */
int os_ns_is_own(int fd, const char *own);

/*
 * os_ns_differs() - is process @pid in another namespace than this process?
 * @file: which, by its name below /proc/PID/ns
 * Return: 1, 0; -ENOENT if there is no such process; -errno
 */
int os_ns_differs(pid_t pid, const char *file);

/*
 * os_in_user_namespace() - in another than the initial one? Its inode is the same on every machine (PROC_USER_INIT_INO)
 * @root: prefix for /proc, "" for the real one
 * Return: 1, 0 (also where the kernel has no user namespaces); -errno
 */
int os_in_user_namespace(const char *root);

/* Set for whom a user became who made himself root of a user namespace: his settings are still the user's. */
#define ROOTLESS_ENV "TARE_ROOTLESS"

/* os_setns() - @fd: a namespace file, or a pidfd; then @flag may be several CLONE_NEW*, joined at once or not at all */
int os_setns(int fd, uint64_t flag);
int os_unshare(uint64_t flags);

/* os_loopback_up() - set lo of the current network namespace up */
int os_loopback_up(void);

int os_sethostname(const char *name);
int os_setdomainname(const char *name);

/* os_become_root() - uid and gid 0 of the current user namespace, no supplementary groups if that is permitted */
int os_become_root(void);

#endif
