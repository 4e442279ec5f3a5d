/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals as something to poll, for a program that has blocked them. */
#ifndef TARE_OS_SIGNAL_H
#define TARE_OS_SIGNAL_H

#include "base/defer.h"

#include <signal.h>

/*
 * os_signal_fd() - block all signals that can be blocked and open a signalfd for them
 * @ret_old_mask: the mask before, for who executes another program
 *
 * The fd is non-blocking. The synchronous ones (SIGSEGV, ...) stay as they are: blocked, they would
 * kill all the same.
 *
 * Return: a fd that the caller owns; -errno
 */
int os_signal_fd(sigset_t *ret_old_mask) MUST_CHECK;

/*
 * os_signal_stop_fd() - readable while HUP, INT, QUIT or TERM waits: the signals that ask a program
 * to stop
 *
 * For waits that may last for ever. Where these are not blocked it is never readable: they end the
 * program then.
 *
 * Return: a non-blocking fd that the caller owns; -errno
 */
int os_signal_stop_fd(void) MUST_CHECK;

/*
 * os_signal_stop_waiting() - which of them waits. It goes on waiting. Return: its number; 0: none
 */
int os_signal_stop_waiting(void);

/*
 * os_signal_wait() - until @fd can be read, or its other side is gone, or one of them waits
 * Return: 0; the waiting signal's number; -errno
 */
int os_signal_wait(int fd) MUST_CHECK;

#endif
