/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/socket.h"

#include "os/fault.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

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

int os_socket_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	defer_close int target = -EBADF, sock = -EBADF;
	size_t len = strlen(path);

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
	if (connect(sock, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return errno == ECONNREFUSED ? why_refused(path) : -errno;
	return take_fd(&sock);
}

int os_socket_send_fd(int sock, int fd, const char *text)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	struct iovec payload = { .iov_base = (char *)(uintptr_t)text, .iov_len = strlen(text) };
	struct msghdr message = { .msg_iov = &payload,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control.bytes) };
	ssize_t sent;

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	OS_FAULT("sendmsg");
	do {
		sent = sendmsg(sock, &message, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	return (size_t)sent == payload.iov_len ? 0 : -EIO;
}
