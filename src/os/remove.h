/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TARE_OS_REMOVE_H
#define TARE_OS_REMOVE_H

#include "base/defer.h"

/*
 * os_remove_tree() - remove @name in @dir, with everything in it if it is a directory
 * @name: one component; a link is removed and not followed
 *
 * However deep it is, it takes nine fds and 40 KiB of stack: what is deeper than eight levels and not empty is moved up to the top
 * and removed from there. Nobody else may change it meanwhile. What is mounted in it is not removed: -EBUSY.
 *
 * Return: 0; -ENOENT if it is not there; -errno, and then some of it may be gone
 */
int os_remove_tree(int dir, const char *name) MUST_CHECK;

#endif
