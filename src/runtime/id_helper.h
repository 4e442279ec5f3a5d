/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * newuidmap and newgidmap, which are setuid: they write the id maps that a user may not write, and look into /etc/subuid and
 * /etc/subgid for what he was given (row Q-3).
 *
 * Spec: newuidmap(1), newgidmap(1)
 */
#ifndef TARE_RUNTIME_ID_HELPER_H
#define TARE_RUNTIME_ID_HELPER_H

#include "base/err.h"

#include <sys/types.h>

enum id_helper { ID_HELPER_UID, ID_HELPER_GID };

/*
 * id_helper_run() - write the map of a process's user namespace
 * @map: as /proc/PID/uid_map takes it
 *
 * Return: 0; -ENOENT if the helper is not there; -EPERM if it refuses, with its words; -errno
 */
int id_helper_run(enum id_helper which, pid_t pid, const char *map, struct err *err) MUST_CHECK;

#endif
