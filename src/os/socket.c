/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/socket.h"

#include "os/fault.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

/* More texts than any message of ours has. */
#define PARTS_MAX 8

/*
 * connect(2) says ECONNREFUSED for a plain file and for a socket without a listener alike, and only
 * the first is the caller's mistake. Looked at after the refusal, for the message alone.
 */
static int why_refused(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	return -ECONNREFUSED;
}

static int limit_sends(int sock, unsigned timeout_ms)
{
	struct timeval limit = { .tv_sec = timeout_ms / 1000,
				 .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000 };

	/* For unix sockets connect() goes by it too. */
	return setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ? -errno : 0;
}

int os_socket_connect_within(const char *path, unsigned timeout_ms)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	defer_close int target = -EBADF, sock = -EBADF;
	size_t len = strlen(path);
	int r;

	OS_FAULT("connect");
	if (len < sizeof(address.sun_path)) {
		memcpy(address.sun_path, path, len + 1);
	} else {
		target = open(path, O_PATH | O_CLOEXEC);
		if (target < 0)
			return -errno;
		snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", target);
	}

	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -errno;
	r = timeout_ms ? limit_sends(sock, timeout_ms) : 0;
	if (r < 0)
		return r;
	if (connect(sock, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return errno == ECONNREFUSED ? why_refused(path) : -errno;
	return take_fd(&sock);
}

int os_socket_connect(const char *path)
{
	return os_socket_connect_within(path, 0);
}

ssize_t os_sendmsg_fd(int sock, struct msghdr *message, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	ssize_t sent;

	if (fd >= 0) {
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
		message->msg_control = &control;
		message->msg_controllen = sizeof(control.bytes);
	}
	do {
		sent = sendmsg(sock, message, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}

/* Take @sent bytes off the front of the list. Return: is anything left? */
static bool advance(struct iovec *iov, size_t n, size_t sent)
{
	bool left = false;

	for (size_t i = 0; i < n; i++) {
		size_t gone = sent < iov[i].iov_len ? sent : iov[i].iov_len;

		if (iov[i].iov_len == 0) /* its base may be NULL */
			continue;
		iov[i].iov_base = (char *)iov[i].iov_base + gone;
		iov[i].iov_len -= gone;
		sent -= gone;
		left |= iov[i].iov_len > 0;
	}
	return left;
}

int os_socket_send_fd_parts(int sock, int fd, const char *const *texts, size_t n)
{
	struct iovec iov[PARTS_MAX];
	struct msghdr message;
	ssize_t sent;

	OS_FAULT("sendmsg");
	if (n > PARTS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < n; i++) {
		iov[i].iov_base = (char *)(uintptr_t)texts[i];
		iov[i].iov_len = texts[i] ? strlen(texts[i]) : 0;
	}
	do {
		message = (struct msghdr){ .msg_iov = iov, .msg_iovlen = n };
		sent = os_sendmsg_fd(sock, &message, fd);
		if (sent < 0)
			return (int)sent;
		fd = -EBADF;
	} while (advance(iov, n, (size_t)sent));
	return 0;
}

int os_socket_send_fd(int sock, int fd, const char *text)
{
	return os_socket_send_fd_parts(sock, fd, &text, 1);
}
