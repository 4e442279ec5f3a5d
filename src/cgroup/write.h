/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Putting one value into one file of a cgroup, and the value that would take it back.
 *
 * Rows
 */
#ifndef TARE_CGROUP_WRITE_H
#define TARE_CGROUP_WRITE_H

#include "cgroup/knobs.h"

/*
 * cgroup_write() - do as @write says
 * @fd, @dir: the cgroup's directory, and its path for messages
 *
 * Return: 0; -EINVAL if memory.checkBeforeUpdate forbids it; -errno
 */
int cgroup_write(int fd, const char *dir, const struct cgroup_write *write,
		 struct err *err) MUST_CHECK;

/*
 * cgroup_write_before() - what to write to bring back what is in force now
 * @file, @value: what is about to be written
 *
 * A file with one line has just that. Of a file with one line for each device or interface it is the line that @value
 * begins with, or what stands for no limit there.
 *
 * Return: in @arena; NULL if it can't be told
 */
const char *cgroup_write_before(struct arena *arena, int fd, const char *file, const char *value);

/* cgroup_limit() - the number at the beginning of @text; UINT64_MAX for "max" and anything below 0 */
uint64_t cgroup_limit(const char *text);

#endif
