/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who pauses a container for a while says so first, in a file in its directory that he has locked until it goes on. The kernel
 * drops the lock with its owner. So a container that is paused, with such a file that nobody has locked, was paused by somebody who
 * died; one without that file by somebody who wants it so.
 */
#ifndef TARE_ENGINE_PAUSED_H
#define TARE_ENGINE_PAUSED_H

#include "base/err.h"

/*
 * paused_begin() - pause a container that runs, until paused_end()
 * @dir:      its directory
 * @oci_root: where the runtime has its record
 *
 * Return: fd for paused_end(); -ESRCH if it has ended; -EBUSY if another has it paused; -errno
 */
int paused_begin(int dir, const char *oci_root, const char *id, struct err *err) MUST_CHECK;

/* paused_end() - let it go on. @fd: < 0 is fine */
void paused_end(int dir, const char *oci_root, const char *id, int fd);

/*
 * paused_sweep() - let a container go on that somebody who died has paused
 *
 * What can't be resumed now (a cgroup above it is frozen) is tried again by the next; meanwhile it is shown as paused.
 */
void paused_sweep(int dir, const char *oci_root, const char *id);

#endif
