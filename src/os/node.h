/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making things in a directory that is held open (or is the working directory, AT_FDCWD). @name is
 * one component: nothing here walks a path, and no link in the last component is followed.
 */
#ifndef TARE_OS_NODE_H
#define TARE_OS_NODE_H

#include "base/defer.h"

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* os_mkdir(), os_mknod() - @mode less the umask; @mode of os_mknod() has the type */
int os_mkdir(int dir, const char *name, mode_t mode) MUST_CHECK;
int os_mknod(int dir, const char *name, mode_t mode, dev_t rdev) MUST_CHECK;
int os_symlink(const char *text, int dir, const char *name) MUST_CHECK;
int os_unlink(int dir, const char *name) MUST_CHECK;

int os_node_mode(int dir, const char *name, mode_t mode) MUST_CHECK;
int os_node_owner(int dir, const char *name, uint32_t uid, uint32_t gid) MUST_CHECK;

/* os_enter() - fchdir(); os_chroot() - chroot() to the working directory and go to the new "/" */
int os_enter(int dir) MUST_CHECK;
int os_chroot_here(void) MUST_CHECK;

#endif
