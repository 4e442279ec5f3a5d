/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files, whole: read into an arena, written once, replaced by rename. */
#ifndef TARE_OS_FILE_H
#define TARE_OS_FILE_H

#include "base/arena.h"

#include <stddef.h>
#include <sys/types.h>

/*
 * os_file_read() - everything that @fd gives, NUL-terminated
 * @limit: more bytes than that are -EFBIG
 */
int os_file_read(struct arena *arena, int fd, size_t limit, char **ret_text,
		 size_t *ret_len) MUST_CHECK;

/* os_file_write_at() - write to an existing file (procfs, cgroupfs) in one write; a short one is -EIO */
int os_file_write_at(int dir, const char *path, const char *text, size_t len) MUST_CHECK;

/* os_file_open_write_at(), os_file_write() - the two halves of it, for several writes to one file */
int os_file_open_write_at(int dir, const char *path) MUST_CHECK;
int os_file_write(int fd, const char *text, size_t len) MUST_CHECK;

/* os_write_all() - all of it, in as many writes as it takes. Return: 0; -errno */
int os_write_all(int fd, const void *bytes, size_t len) MUST_CHECK;

/* os_file_make_at() - a new file with these bytes; -EEXIST if there is one */
int os_file_make_at(int dir, const char *name, const void *bytes, size_t len,
		    mode_t mode) MUST_CHECK;

/*
 * os_file_replace_at() - the file @name has these bytes afterwards, or is as it was: written beside it as @temporary,
 * then renamed. Not flushed to disk: for what dies with the machine.
 */
int os_file_replace_at(int dir, const char *name, const char *temporary, const void *bytes,
		       size_t len, mode_t mode) MUST_CHECK;

/*
 * os_file_replace_durable_at() - the same for what must outlive a power cut: the bytes are on the disk before the name is,
 * and the name is when the call returns
 */
int os_file_replace_durable_at(int dir, const char *name, const char *temporary, const void *bytes,
			       size_t len, mode_t mode) MUST_CHECK;

/* os_fsync() - fsync(2) of a file or a directory */
int os_fsync(int fd) MUST_CHECK;

/* os_fd_path() - the path of an open directory or file, as the kernel names it. Return: 0; -ENAMETOOLONG; -errno */
int os_fd_path(int fd, char *buf, size_t size) MUST_CHECK;

#endif
