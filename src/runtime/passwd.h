/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bounded reader of passwd(5) for files that an image brought: no heap, a fixed buffer, lines that are too long are
 * skipped, and reading stops after a fixed amount.
 */
#ifndef TARE_RUNTIME_PASSWD_H
#define TARE_RUNTIME_PASSWD_H

#include "base/defer.h"

#include <stddef.h>
#include <stdint.h>

/* More than 10,000 users; larger files are not read to the end. */
#define PASSWD_MAX_BYTES ((size_t)1024 * 1024)

/* A longer line is skipped. */
#define PASSWD_MAX_LINE 4096

/*
 * passwd_home() - the home directory of @uid
 * @ret_home: written only if the entry is there and the directory is an absolute path that fits into @size
 * Return: 1 if found, 0 if not, -errno
 */
int passwd_home(int fd, uint32_t uid, char *ret_home, size_t size) MUST_CHECK;

#endif
