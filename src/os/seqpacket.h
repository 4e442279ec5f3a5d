/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SEQPACKET sockets of ours: the pair between parent and child, and the start socket in a state directory. A message is
 * one byte, perhaps with one fd. The end of the other side shows as 0 bytes.
 */
#ifndef TARE_OS_SEQPACKET_H
#define TARE_OS_SEQPACKET_H

#include "base/defer.h"

#include <sys/types.h>

int os_seqpacket_pair(int ret_fds[2]);

/*
 * os_seqpacket_bind(), os_seqpacket_connect() - a socket named @name in the directory @dir
 *
 * The address goes through /proc/self/fd, so it fits into sun_path however deep the directory is.
 * Return: an O_CLOEXEC fd; -errno
 */
int os_seqpacket_bind(int dir, const char *name);
int os_seqpacket_connect(int dir, const char *name);

/* os_seqpacket_peer() - the pid, in our pid namespace, of who listens at the other end of a connected socket; -errno */
pid_t os_seqpacket_peer(int fd);

int os_seqpacket_listen(int fd);
int os_seqpacket_accept(int fd);

/* os_send_byte() - @fd is sent along unless it is < 0. Return: 0; -EPIPE if nobody is there; -errno */
int os_send_byte(int sock, char byte, int fd);

/* os_receive_byte() - Return: 1; 0 if the other side is gone; -errno. @ret_fd may be NULL; -EBADF when none came */
int os_receive_byte(int sock, char *ret_byte, int *ret_fd);

#endif
