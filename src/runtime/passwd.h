/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * passwd(5) without the C library's user database, which would load modules of the host: for the container's file, which
 * the image brought, and for the host's own.
 */
#ifndef TARE_RUNTIME_PASSWD_H
#define TARE_RUNTIME_PASSWD_H

#include "base/defer.h"

#include <stddef.h>
#include <stdint.h>

/*
 * passwd_home() - the home directory of @uid
 * @ret_home: written only if the entry is there and the directory is an absolute path that fits into @size
 * Return: 1 if found, 0 if not, -errno
 */
int passwd_home(int fd, uint32_t uid, char *ret_home, size_t size) MUST_CHECK;

/* passwd_name() - the name of @uid, under the same conditions */
int passwd_name(int fd, uint32_t uid, char *ret_name, size_t size) MUST_CHECK;

#endif
