/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TARE_CGROUP_HINTS_H
#define TARE_CGROUP_HINTS_H

/*
 * cgroup_write_hint() - what may help when the kernel refuses a value
 * @file: "memory.max"
 * @code: -errno
 * Return: a sentence, or NULL if we know nothing better than the kernel's reason
 */
const char *cgroup_write_hint(const char *file, int code);

#endif
