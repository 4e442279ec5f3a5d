/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/notify.h"

#include "os/fault.h"
#include "os/socket.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

bool os_notify_is_path(const char *address)
{
	struct sockaddr_un addr;

	return (address[0] == '/' || address[0] == '@') && address[1] &&
	       strlen(address) < sizeof(addr.sun_path);
}

/* Return: the length that belongs to it */
static socklen_t fill_address(struct sockaddr_un *addr, const char *address)
{
	size_t len = strnlen(address, sizeof(addr->sun_path) - 1);

	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(addr->sun_path, address, len);
	if (address[0] != '@')
		return sizeof(*addr);
	addr->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

int os_notify_bind(int dir, const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	defer_close int sock = -EBADF;

	OS_FAULT("bind");
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/%s", dir, name);
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0)
		return -errno;
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return -errno;
	if (bind(sock, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	/* Sending needs the right to write, and the container may have any user. */
	if (fchmodat(dir, name, 0777, 0) < 0)
		return -errno;
	return take_fd(&sock);
}

int os_notify_receive(int sock, char text[NOTIFY_MAX])
{
	ssize_t n;

	OS_FAULT("recv");
	n = recv(sock, text, NOTIFY_MAX - 1, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	text[n] = '\0';
	return 1;
}

static int send_to(const char *address, const char *text, int fd)
{
	struct iovec payload = { .iov_base = (char *)(uintptr_t)text, .iov_len = strlen(text) };
	struct sockaddr_un addr;
	struct msghdr message = { .msg_name = &addr, .msg_iov = &payload, .msg_iovlen = 1 };
	defer_close int sock = -EBADF;
	ssize_t sent;

	message.msg_namelen = fill_address(&addr, address);
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -errno;
	sent = os_sendmsg_fd(sock, &message, fd);
	return sent < 0 ? (int)sent : 0;
}

int os_notify_send(const char *address, const char *text)
{
	OS_FAULT("sendmsg");
	return send_to(address, text, -1);
}

int os_notify_barrier(const char *address, int timeout_ms)
{
	struct pollfd closed = { .events = 0 };
	defer_close int ours = -EBADF, theirs = -EBADF;
	int ends[2], r;

	OS_FAULT("pipe2");
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	ours = closed.fd = ends[0];
	theirs = ends[1];
	r = send_to(address, "BARRIER=1", theirs);
	if (r < 0)
		return r;
	close(take_fd(&theirs));
	/* It closes its copy when it comes to that message: then ours hangs up. */
	do {
		r = poll(&closed, 1, timeout_ms);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r == 0 ? -ETIMEDOUT : 0;
}
