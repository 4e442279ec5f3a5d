/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Session keyrings. Man: keyctl(2), session-keyring(7) */
#ifndef TARE_OS_KEYRING_H
#define TARE_OS_KEYRING_H

#include "base/defer.h"

#include <stdint.h>

/*
 * os_keyring_join() - a session keyring of the process's own
 * @name: the keyring of that name if this process may search it, else a new one; NULL: a new one without a name
 * Return: its serial number; -ENOSYS if the kernel has no keys; -EDQUOT; -errno
 */
int os_keyring_join(const char *name);

/* os_keyring_owner() - Return: 0 and the owner's uid as this user namespace sees it; -errno */
int os_keyring_owner(int serial, uint32_t *ret_uid) MUST_CHECK;

/* os_keyring_restrict() - its possessor may do all, its owner view, read and search it, others nothing */
int os_keyring_restrict(int serial) MUST_CHECK;

#endif
