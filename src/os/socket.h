/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unix stream sockets of our callers: where the master of a pty or a pidfd is sent to. (The
 * SEQPACKET sockets among our own processes are os/seqpacket.h.) And how a fd travels on any.
 */
#ifndef TARE_OS_SOCKET_H
#define TARE_OS_SOCKET_H

#include "base/defer.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/*
 * os_socket_connect() - connect to a listening SOCK_STREAM socket
 * @path: of any length; a sun_path holds only 107 bytes, so longer ones go through /proc/self/fd
 *
 * Return: an O_CLOEXEC fd; -ENOTSOCK if something else is there; -EPROTOTYPE if it is no stream;
 *         -ECONNREFUSED; -errno
 */
int os_socket_connect(const char *path) MUST_CHECK;

/*
 * os_socket_connect_within() - the same, but neither connecting nor a later send waits longer than @timeout_ms
 * Return: as above; -EAGAIN if nobody accepted the connection
 */
int os_socket_connect_within(const char *path, unsigned timeout_ms) MUST_CHECK;

/*
 * os_socket_send_fd_parts() - one message of the @n texts one after the other (NULL: none), with @fd by SCM_RIGHTS
 *
 * On a stream what does not fit at once follows without the fd.
 * Return: 0; -EPIPE if the other side is gone, without a SIGPIPE; -EAGAIN after the socket's timeout; -errno
 */
int os_socket_send_fd_parts(int sock, int fd, const char *const *texts, size_t n) MUST_CHECK;

/*
 * os_sendmsg_fd() - sendmsg() of @message with @fd by SCM_RIGHTS (< 0: without), again after a signal, never a SIGPIPE
 * @message: its control data are set here
 * Return: bytes sent; -errno
 */
ssize_t os_sendmsg_fd(int sock, struct msghdr *message, int fd) MUST_CHECK;

/* os_socket_send_fd() - the same with one text */
int os_socket_send_fd(int sock, int fd, const char *text) MUST_CHECK;

#endif
