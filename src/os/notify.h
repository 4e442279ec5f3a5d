/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sockets of sd_notify(3), from both sides: datagrams of lines like "READY=1". */
#ifndef TARE_OS_NOTIFY_H
#define TARE_OS_NOTIFY_H

#include "base/defer.h"

#include <stdbool.h>
#include <stddef.h>

/* More lines than any service sends at once; the rest of a longer datagram is lost. */
#define NOTIFY_MAX 4096

/* os_notify_is_path() - is it an address that we can send to: a path, or "@" and an abstract name? */
bool os_notify_is_path(const char *address);

/*
 * os_notify_bind() - a socket for everybody to write to; what is there already is replaced
 * @dir:  directory in which @name is
 *
 * Return: an O_CLOEXEC fd that does not block; -errno
 */
int os_notify_bind(int dir, const char *name) MUST_CHECK;

/* os_notify_receive() - Return: 1 and one datagram, NUL-terminated; 0 if there is none; -errno */
int os_notify_receive(int sock, char text[NOTIFY_MAX]) MUST_CHECK;

/* os_notify_send() - Return: 0; -errno */
int os_notify_send(const char *address, const char *text) MUST_CHECK;

/*
 * os_notify_barrier() - wait until the service manager has read all that we sent before
 *
 * It forgets messages of who has exited by then. Return: 0; -ETIMEDOUT; -errno
 */
int os_notify_barrier(const char *address, int timeout_ms) MUST_CHECK;

#endif
