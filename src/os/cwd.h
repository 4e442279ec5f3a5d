/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entering a directory whose path was written by somebody who is not trusted; the root is the process's own. */
#ifndef TARE_OS_CWD_H
#define TARE_OS_CWD_H

#include "base/defer.h"

#include <sys/types.h>

/*
 * os_cwd_enter() - chdir(2) that can't leave the root
 * @path: absolute
 * Return: 0; -ELOOP if it leads through a magic link of procfs; -EXDEV if the place is not inside the root; -errno
 */
int os_cwd_enter(const char *path) MUST_CHECK;

/*
 * os_cwd_make() - make what is missing of @path
 * @path: absolute, shorter than PATH_MAX
 * @mode: of the new directories, whatever the umask
 * @made: called after each: the directory it is in, its absolute path, its name
 * Return: 0; -ELOOP as above; -errno
 */
int os_cwd_make(const char *path, mode_t mode,
		void (*made)(void *arg, int parent, const char *path, const char *name),
		void *arg) MUST_CHECK;

#endif
