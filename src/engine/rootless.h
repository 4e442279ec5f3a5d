/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine of a user who is not root: everything happens in a user namespace in which he is root, and in a mount namespace that
 * belongs to it. So layers are unpacked with the ids that they have, an overlay is mounted as by root, and the runtime starts
 * containers as of a root of a user namespace (docs/design/010).
 */
#ifndef TARE_ENGINE_ROOTLESS_H
#define TARE_ENGINE_ROOTLESS_H

#include "base/err.h"

#include <stdbool.h>

/*
 * rootless_enter() - become root of a user namespace
 *
 * Ids: the caller is 0, those that /etc/subuid and /etc/subgid give him follow, by newuidmap and newgidmap. If he has none, he is
 * the only one that there is. Nothing happens for who is root already, in whatever namespace.
 *
 * If something of the caller's runs in one already (rootless_hold()), it is that one.
 *
 * Should be called before any file is open and any thread there. Sets XDG_RUNTIME_DIR if it is not set.
 * Return: 0; -errno
 */
int rootless_enter(struct err *err) MUST_CHECK;

/*
 * rootless_hold() - let the commands that come enter the user namespace of this process as long as it lives
 *
 * Only who is in the same one may signal, enter and look at what runs there. Does nothing for who has made none.
 * Return: 0; -errno
 */
int rootless_hold(struct err *err) MUST_CHECK;

/* rootless_is_user() - are attributes and devices of the host's root out of reach: a user, or root of a user namespace */
bool rootless_is_user(void);

/*
 * rootless_runtime_dir() - where what dies with the machine is kept for a user who has no XDG_RUNTIME_DIR
 * @buf: receives /run/user/UID if it is his, else /tmp/tare-run-UID, made if it is missing
 *
 * Return: 0; -EPERM if that is there and somebody else's, or open to others; -errno
 */
int rootless_runtime_dir(char *buf, size_t size, struct err *err) MUST_CHECK;

#endif
