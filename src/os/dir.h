/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directories by path, and small reads below a directory's fd into the caller's storage: what cgroupfs needs. */
#ifndef TARE_OS_DIR_H
#define TARE_OS_DIR_H

#include "base/defer.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* os_dir_make(), os_dir_remove() - mkdir(2), rmdir(2). Return: 0; -errno */
int os_dir_make(const char *path, mode_t mode) MUST_CHECK;
int os_dir_remove(const char *path) MUST_CHECK;

/* os_dir_make_path() - the same with what is missing above it, and it may exist */
int os_dir_make_path(const char *path, mode_t parents_mode, mode_t mode) MUST_CHECK;

/* os_dir_open() - an O_CLOEXEC fd that can be read and searched, owned by the caller; -errno */
int os_dir_open(const char *path) MUST_CHECK;

/* os_exists_at() - is there something of that name; @dir may be AT_FDCWD. Return: 1, 0; -errno */
int os_exists_at(int dir, const char *path) MUST_CHECK;

/*
 * os_read_at() - the start of a file, NUL-terminated, without trailing newlines
 * @size: of @buf, at least 1; what does not fit is cut off
 * Return: length of the text; -errno
 */
ssize_t os_read_at(int dir, const char *path, char *buf, size_t size) MUST_CHECK;

/* os_chown_at() - fchownat(2) without following links; -1 keeps an id. Return: 0; -errno */
int os_chown_at(int dir, const char *path, uid_t uid, gid_t gid) MUST_CHECK;

/*
 * os_is_still_at() - is the open file @fd (still) what @name in @dir names; a link is not followed
 *
 * For who has waited for the lock of a file: whoever had it before may have renamed or removed it.
 */
bool os_is_still_at(int dir, const char *name, int fd);

/* os_dir_claim() - an exclusive flock, or -EWOULDBLOCK at once if somebody has it. Held by every copy of the fd */
int os_dir_claim(int fd) MUST_CHECK;

#endif
