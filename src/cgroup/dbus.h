/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A conversation with one D-Bus peer over a unix socket: log in, call, wait for the answer or for a signal.
 *
 * It is over in some milliseconds and belongs to one command, so it is synchronous, has one deadline for all, and keeps
 * what it received in one buffer. The peer is systemd itself (its private socket: no bus between us) or a bus.
 *
 * Spec: D-Bus specification, "Authentication Protocol" (EXTERNAL), "Message Bus Messages"
 */
#ifndef TARE_CGROUP_DBUS_H
#define TARE_CGROUP_DBUS_H

#include "cgroup/dbus_wire.h"

/* More than systemd takes for anything that we ask of it, on a loaded host too; libdbus waits 25 s for a reply. */
#define DBUS_TIMEOUT_MS 30000

struct dbus {
	struct arena arena;
	int fd;
	uint32_t serial; /* of the last call */
	int64_t deadline_ms;
	uint8_t *in;       /* DBUS_MESSAGE_MAX bytes */
	size_t len, taken; /* bytes in it; of them, those of messages that were handed out */
};

/*
 * dbus_open() - connect and log in
 * @path:  of the socket
 * @is_bus: it is a bus: say hello, and ask for the signals that @match describes
 * @match:  a match rule; not used without a bus
 *
 * Return: 0, then dbus_close() is due; -EACCES if we are not let in; -ECONNREFUSED; -errno
 */
int dbus_open(struct dbus *bus, const char *path, bool is_bus, const char *match) MUST_CHECK;
void dbus_close(struct dbus *bus);

#define defer_dbus  __attribute__((cleanup(dbus_close)))
#define DBUS_CLOSED ((struct dbus){ .fd = -EBADF })

/*
 * dbus_call() - call, and wait for the answer
 * @ret: the reply, or the peer's error; valid until the next call or dbus_next()
 * Return: 0; -EREMOTEIO if the answer is an error; -ETIMEDOUT; -ECONNRESET if the peer closed; -EPROTO, -EMSGSIZE if it makes no sense; -errno
 */
int dbus_call(struct dbus *bus, const struct dbus_call *call, struct dbus_message *ret) MUST_CHECK;

/* dbus_next() - the next message, whatever it is. Return: as dbus_call(), but for -EREMOTEIO */
int dbus_next(struct dbus *bus, struct dbus_message *ret) MUST_CHECK;

/*
 * dbus_address_path() - the socket's path in an address list: "unix:path=/run/user/1000/bus,guid=...;tcp:..."
 * Return: 0; -EPROTONOSUPPORT if no entry has a path; -ENAMETOOLONG
 */
int dbus_address_path(const char *address, char *buf, size_t size) MUST_CHECK;

#endif
