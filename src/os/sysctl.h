/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TARE_OS_SYSCTL_H
#define TARE_OS_SYSCTL_H

#include "base/defer.h"

#include <stddef.h>

/*
 * os_sysctl_write() - write one key, in the namespaces of the calling process
 * @proc: fd of a procfs known to be one
 * @path: below its "sys": "net/ipv4/ip_forward"
 *
 * Follows no symlink and crosses no mount, so nothing that is mounted over a part of /proc/sys can redirect it.
 *
 * Return: 0; -ENOENT if there is no such key; -EXDEV, -ELOOP if something is in the way; -errno
 */
int os_sysctl_write(int proc, const char *path, const char *value, size_t len) MUST_CHECK;

#endif
