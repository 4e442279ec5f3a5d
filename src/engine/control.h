/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ending containers, and waiting for their end, whoever watches them: a monitor, somebody in the foreground, or nobody any more. */
#ifndef TARE_ENGINE_CONTROL_H
#define TARE_ENGINE_CONTROL_H

#include "engine/containers.h"

#define CONTROL_STOP_TIMEOUT_S 10 /* where nobody says another; docker's */

/*
 * control_runs() - is its init there
 * @ret_pidfd: of it, owned by the caller; may be NULL
 */
bool control_runs(const struct roots *roots, const char *id, int *ret_pidfd);

/*
 * control_lock_when_ended() - the lock of a container that has ended, or is about to; who has it is given some seconds
 * Return: 0; -EBUSY if it is still held; -ENOENT if it was removed, by its --rm for example; -errno
 */
int control_lock_when_ended(struct arena *arena, const struct roots *roots, const char *id,
			    struct container_dir *ret, struct err *err) MUST_CHECK;

/* control_forbid_restart() - whatever its policy is, it is to end for good. Return: 0; -errno */
int control_forbid_restart(const struct roots *roots, const char *id, struct err *err) MUST_CHECK;

/* control_kill() - send a signal to its init. Return: 0; -ESRCH if it does not run; -errno */
int control_kill(const struct roots *roots, const char *id, int signal, struct err *err) MUST_CHECK;

/* What is meant where the command line says nothing */
#define CONTROL_AS_CONTAINER (-1)

/*
 * control_stop() - ask it to end, and kill it if it does not
 * @signal:    number; CONTROL_AS_CONTAINER: the container's own, which is its image's, or TERM
 * @timeout_s: how long it may take; CONTROL_AS_CONTAINER: the container's own; below that: any time
 *
 * When it returns the end is recorded, and all of it is gone but its directory. One that does not run is left as it is.
 * Return: 0; -errno
 */
int control_stop(const struct roots *roots, const char *id, int signal, int64_t timeout_s,
		 struct err *err) MUST_CHECK;

/*
 * control_wait() - until it has ended
 * Return: 0 and its exit status; -ENOENT if it was removed and nobody can tell any more; -ENODATA if nobody saw it; -errno
 */
int control_wait(const struct roots *roots, const char *id, int *ret_status,
		 struct err *err) MUST_CHECK;

#endif
