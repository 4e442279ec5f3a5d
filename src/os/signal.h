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
 * os_signal_stop_fd() - from now on HUP, INT, QUIT and TERM, which ask a program to stop, wait; readable while one does
 *
 * For what may last for ever and must be taken back when it is broken off. They stay blocked, so that nothing
 * breaks off the undoing either.
 *
 * Return: a non-blocking fd that the caller owns; -errno
 */
int os_signal_stop_fd(void) MUST_CHECK;

/*
 * os_signal_stop_take() - which of them waits; it is taken, so that only another one breaks off what comes next
 * Return: its number; 0: none
 */
int os_signal_stop_take(void);

/*
 * os_signal_wait() - until @fd can be read, or its other side is gone, or one of them comes
 * Return: 0; the signal's number, which is taken; -errno
 */
int os_signal_wait(int fd) MUST_CHECK;

#endif
