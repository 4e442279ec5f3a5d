/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a process tells the security modules about itself, and what files carry for them. */
#ifndef TARE_OS_LSM_H
#define TARE_OS_LSM_H

#include "base/defer.h"

/*
 * os_lsm_attr_write() - write to a file of our own directory /proc/self/attr
 * @proc: a verified procfs; nothing that is mounted in it is entered, and no link but "self" is followed
 * @name: "exec", "apparmor/exec", ...
 * @text: taken as it is, without a NUL at its end
 *
 * Return: 0; -ENOENT if the kernel has no such file, or the module no such label; -EINVAL; -errno
 */
int os_lsm_attr_write(int proc, const char *name, const char *text) MUST_CHECK;

/* os_lsm_attr_exists() - is there such a file? Return: 1, 0, -errno */
int os_lsm_attr_exists(int proc, const char *name);

/* os_selinux_label() - give an open file or directory a label */
int os_selinux_label(int fd, const char *label) MUST_CHECK;

#endif
