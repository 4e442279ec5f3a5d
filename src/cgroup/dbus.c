/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/dbus.h"

#include "base/ascii.h"
#include "base/clock.h"
#include "os/fault.h"
#include "os/socket.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/*
 * All of logging in is one write, as the protocol allows who needs no answer in between: the name of the mechanism, no
 * identity of our own (the peer takes the socket's, which is right in a user namespace too), begin.
 */
#define LOGIN     "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n"
#define LOGIN_LEN (sizeof(LOGIN) - 1)

/* "DATA" and "OK" with a guid of 32 digits are 43 bytes. */
#define LOGIN_ANSWER_MAX 512

/* ---- bytes ------------------------------------------------------------------------------------------------------ */

/* Wait until the socket is ready. Return: 0; -ETIMEDOUT; -errno */
static int wait_for(struct dbus *bus, short events)
{
	struct pollfd fd = { .fd = bus->fd, .events = events };
	int64_t left = bus->deadline_ms - clock_ms();
	int r;

	if (left <= 0)
		return -ETIMEDOUT;
	r = poll(&fd, 1, (int)left);
	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	return r == 0 ? -ETIMEDOUT : 0;
}

static int send_all(struct dbus *bus, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(bus->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		int r = n < 0 ? -errno : 0;

		if (r == -EAGAIN)
			r = wait_for(bus, POLLOUT);
		if (r < 0 && r != -EINTR)
			return r == -EPIPE ? -ECONNRESET : r;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* Read what is there behind what we have. Return: 0; -ECONNRESET; -errno */
static int receive(struct dbus *bus)
{
	ssize_t n = recv(bus->fd, bus->in + bus->len, DBUS_MESSAGE_MAX - bus->len, MSG_DONTWAIT);
	int r = n < 0 ? -errno : 0;

	if (r == -EAGAIN)
		return wait_for(bus, POLLIN);
	if (r < 0)
		return r == -EINTR ? 0 : r;
	if (n == 0)
		return -ECONNRESET;
	bus->len += (size_t)n;
	return 0;
}

/* Forget the first @n bytes. */
static void drop(struct dbus *bus, size_t n)
{
	memmove(bus->in, bus->in + n, bus->len - n);
	bus->len -= n;
}

/* ---- logging in ------------------------------------------------------------------------------------------------- */

/* The answers to LOGIN are lines; after the one that says OK messages begin. */
static int finish_login(struct dbus *bus)
{
	for (;;) {
		uint8_t *end = memmem(bus->in, bus->len, "\r\n", 2);
		int r;

		if (end) {
			bool ok = bus->len >= 3 && memcmp(bus->in, "OK ", 3) == 0;

			if (!ok && memcmp(bus->in, "DATA", 4) != 0)
				return -EACCES;
			drop(bus, (size_t)(end - bus->in) + 2);
			if (ok)
				return 0;
			continue;
		}
		if (bus->len > LOGIN_ANSWER_MAX)
			return -EPROTO;
		r = receive(bus);
		if (r < 0)
			return r;
	}
}

/* Room for calls is asked of the bus in the same write. Their answers are of no interest, unless they are errors. */
static int put_bus_calls(struct dbus *bus, struct dbus_buffer *out, const char *match)
{
	struct dbus_call call = {
		.destination = "org.freedesktop.DBus",
		.path = "/org/freedesktop/DBus",
		.interface = "org.freedesktop.DBus",
		.member = "Hello",
		.signature = "",
	};
	int r = dbus_put_call(out, ++bus->serial, &call);

	if (r < 0)
		return r;
	call.member = "AddMatch";
	call.signature = "s";
	call.words = (struct str_list){ .items = &match, .n = 1 };
	return dbus_put_call(out, ++bus->serial, &call);
}

int dbus_open(struct dbus *bus, const char *path, bool is_bus, const char *match)
{
	struct dbus_buffer out = { 0 };
	int r;

	*bus = DBUS_CLOSED;
	bus->fd = os_socket_connect(path);
	if (bus->fd < 0)
		return bus->fd;
	bus->deadline_ms = clock_ms() + DBUS_TIMEOUT_MS;
	bus->in = arena_alloc(&bus->arena, DBUS_MESSAGE_MAX);
	out.arena = &bus->arena;
	r = is_bus ? put_bus_calls(bus, &out, match) : 0;
	if (r == 0)
		r = send_all(bus, (const uint8_t *)LOGIN, LOGIN_LEN);
	if (r == 0)
		r = finish_login(bus);
	if (r == 0)
		r = send_all(bus, out.data, out.len);
	if (r < 0)
		dbus_close(bus);
	return r;
}

void dbus_close(struct dbus *bus)
{
	if (bus->fd >= 0)
		close(take_fd(&bus->fd));
	arena_clear(&bus->arena);
}

/* ---- messages --------------------------------------------------------------------------------------------------- */

int dbus_next(struct dbus *bus, struct dbus_message *ret)
{
	size_t size;
	int r;

	drop(bus, bus->taken);
	bus->taken = 0;
	for (;;) {
		r = dbus_message_size(bus->in, bus->len, &size);
		if (r == 0 && size <= bus->len)
			break;
		if (r == 0 || r == -EAGAIN)
			r = receive(bus);
		if (r < 0)
			return r;
	}
	bus->taken = size;
	return dbus_message_parse(bus->in, size, ret);
}

int dbus_call(struct dbus *bus, const struct dbus_call *call, struct dbus_message *ret)
{
	struct dbus_buffer out = { .arena = &bus->arena };
	int r;

	OS_FAULT("dbus");
	r = dbus_put_call(&out, ++bus->serial, call);
	if (r == 0)
		r = send_all(bus, out.data, out.len);
	while (r == 0) {
		r = dbus_next(bus, ret);
		if (r < 0)
			return r;
		/* An error for an earlier call, the bus's greeting, makes an answer to this one impossible. */
		if (ret->type == DBUS_ERROR && ret->reply_serial &&
		    ret->reply_serial <= bus->serial)
			return -EREMOTEIO;
		if (ret->type == DBUS_REPLY && ret->reply_serial == bus->serial)
			return 0;
	}
	return r;
}

/* ---- addresses -------------------------------------------------------------------------------------------------- */

/* A value of an address: bytes other than the plainest are written %XX. Return: 0; -ENAMETOOLONG; -EPROTONOSUPPORT */
static int unescape(const char *text, size_t len, char *buf, size_t size)
{
	size_t out = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '%') {
			int high = i + 2 < len ? ascii_hex_digit(text[i + 1]) : -1;
			int low = high >= 0 ? ascii_hex_digit(text[i + 2]) : -1;

			if (low < 0 || high + low == 0)
				return -EPROTONOSUPPORT;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (out + 1 >= size)
			return -ENAMETOOLONG;
		buf[out++] = c;
	}
	buf[out] = '\0';
	return out ? 0 : -EPROTONOSUPPORT;
}

int dbus_address_path(const char *address, char *buf, size_t size)
{
	while (*address) {
		size_t entry_len = strcspn(address, ";");
		const char *end = address + entry_len, *at = address + strlen("unix:");
		bool is_unix = strncmp(address, "unix:", strlen("unix:")) == 0;

		while (is_unix && at < end) {
			size_t len = strcspn(at, ",;");

			if (len >= 5 && memcmp(at, "path=", 5) == 0)
				return unescape(at + 5, len - 5, buf, size);
			at += len + (at[len] == ',');
		}
		address = end + (*end == ';');
	}
	return -EPROTONOSUPPORT;
}
