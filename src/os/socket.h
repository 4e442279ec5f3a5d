/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unix stream sockets of our callers: where the master of a pty or a pidfd is sent to. (The
 * SEQPACKET sockets among our own processes are os/seqpacket.h.)
 */
#ifndef TARE_OS_SOCKET_H
#define TARE_OS_SOCKET_H

#include "base/defer.h"

/*
 * os_socket_connect() - connect to a listening SOCK_STREAM socket
 * @path: of any length; a sun_path holds only 107 bytes, so longer ones go through /proc/self/fd
 *
 * Return: an O_CLOEXEC fd; -ENOTSOCK if something else is there; -EPROTOTYPE if it is no stream;
 *         -ECONNREFUSED; -errno
 */
int os_socket_connect(const char *path) MUST_CHECK;

/*
 * os_socket_send_fd() - one message: @text as its bytes, @fd by SCM_RIGHTS
 * Return: 0; -EPIPE if the other side is gone, without a SIGPIPE; -errno
 */
int os_socket_send_fd(int sock, int fd, const char *text) MUST_CHECK;

#endif
