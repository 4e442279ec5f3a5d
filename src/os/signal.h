/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals as something to poll. */
#ifndef TARE_OS_SIGNAL_H
#define TARE_OS_SIGNAL_H

#include "base/defer.h"

#include <signal.h>

/*
 * os_signal_fd() - block all signals that can be blocked and open a signalfd for them
 * @ret_old_mask: the mask before, for who executes another program
 *
 * The fd is non-blocking. The synchronous ones (SIGSEGV, ...) stay as they are: blocked, they would kill all the same.
 *
 * Return: a fd that the caller owns; -errno
 */
int os_signal_fd(sigset_t *ret_old_mask) MUST_CHECK;

#endif
