/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that have no name until they are whole: whoever is killed before that leaves nothing. */
#ifndef TARE_OS_UNNAMED_H
#define TARE_OS_UNNAMED_H

#include "base/defer.h"

#include <sys/types.h>

/*
 * os_unnamed_open() - a new file on the filesystem that @path is to be on, to be written
 *
 * Return: fd, owned by the caller; -EOPNOTSUPP if the filesystem has no such files; -errno
 */
int os_unnamed_open(const char *path, mode_t mode) MUST_CHECK;

/*
 * os_unnamed_name() - give it its name
 *
 * Needs: /proc
 * Return: 0; -EEXIST if there is something; -errno
 */
int os_unnamed_name(int fd, const char *path) MUST_CHECK;

#endif
