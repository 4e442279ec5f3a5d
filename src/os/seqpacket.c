/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/seqpacket.h"

#include "os/fault.h"
#include "os/socket.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int os_seqpacket_pair(int ret_fds[2])
{
	OS_FAULT("socketpair");
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0 ? -errno : 0;
}

static struct sockaddr_un address(int dir, const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/%s", dir, name);
	return addr;
}

int os_seqpacket_bind(int dir, const char *name)
{
	struct sockaddr_un addr = address(dir, name);
	defer_close int fd = -EBADF;

	OS_FAULT("bind");
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	return take_fd(&fd);
}

int os_seqpacket_connect(int dir, const char *name)
{
	struct sockaddr_un addr = address(dir, name);
	defer_close int fd = -EBADF;

	OS_FAULT("connect");
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	return take_fd(&fd);
}

pid_t os_seqpacket_peer(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	return cred.pid;
}

int os_seqpacket_listen(int fd)
{
	OS_FAULT("listen");
	return listen(fd, 4) < 0 ? -errno : 0;
}

int os_seqpacket_accept(int fd)
{
	int conn;

	OS_FAULT("accept");
	do {
		conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	} while (conn < 0 && errno == EINTR);
	return conn < 0 ? -errno : conn;
}

int os_send_byte(int sock, char byte, int fd)
{
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	OS_FAULT("sendmsg");
	n = os_sendmsg_fd(sock, &message, fd);
	return n < 0 ? (int)n : 0;
}

int os_receive_byte(int sock, char *ret_byte, int *ret_fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;
	int fd = -EBADF;
	ssize_t n;

	OS_FAULT("recvmsg");
	if (ret_fd) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
	}
	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	if (n == 0)
		return 0;

	cmsg = ret_fd ? CMSG_FIRSTHDR(&msg) : NULL;
	if (cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS &&
	    cmsg->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(cmsg), sizeof(int));
	*ret_byte = byte;
	if (ret_fd)
		*ret_fd = fd;
	return 1;
}
