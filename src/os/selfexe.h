/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running from a copy of ourselves that a container can't write to (CVE-2019-5736).
 *
 * A process in a container can open /proc/PID/exe of the runtime's process that is about to become
 * its init, keep it, and write to the host's binary once that is no longer executed. So a command
 * that enters a container executes itself again first, from a private read-only mount of the binary
 * that no mount namespace has: any open for writing through it is EROFS, and nobody can remount it.
 * Without the new mount API, or without the right to use it, a sealed memfd does the same for the
 * price of copying the file.
 *
 * Whether we are protected is read from what /proc/self/exe really is. An environment variable or
 * an argument would let the caller's environment, which a container's image may have a say in,
 * switch the protection off.
 */
#ifndef TARE_OS_SELFEXE_H
#define TARE_OS_SELFEXE_H

#include "base/defer.h"

/*
 * os_selfexe_is_protected() - is the file that this process executes out of reach for writing
 * Return: 1 or 0; -errno if /proc/self/exe can't be looked at
 */
int os_selfexe_is_protected(void) MUST_CHECK;

/*
 * os_selfexe_protect() - execute ourselves again from a protected copy, unless we do already
 * @argv, @envp: passed on unchanged
 *
 * Needs:  /proc; CAP_SYS_ADMIN for the mount, nothing for the memfd
 * Return: 0 if we run protected; -errno. In between it does not return
 */
int os_selfexe_protect(char *const *argv, char *const *envp) MUST_CHECK;

#endif
