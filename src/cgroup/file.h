/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A cgroup's file by the path of its directory: for what is read or written once, where no fd of the directory is at hand. */
#ifndef TARE_CGROUP_FILE_H
#define TARE_CGROUP_FILE_H

#include "base/defer.h"

#include <stddef.h>
#include <sys/types.h>

/* cgroup_file_open() - O_CLOEXEC, the caller's, opened as @flags say (O_RDONLY, O_WRONLY); -ENAMETOOLONG; -errno */
int cgroup_file_open(const char *dir, const char *file, int flags) MUST_CHECK;

/* cgroup_file_read() - as os_read_at(). Return: length of the text; -ENAMETOOLONG; -errno */
ssize_t cgroup_file_read(const char *dir, const char *file, char *buf, size_t size) MUST_CHECK;

/* cgroup_file_write() - in one write. Return: 0; -ENAMETOOLONG; -errno */
int cgroup_file_write(const char *dir, const char *file, const char *text) MUST_CHECK;

#endif
