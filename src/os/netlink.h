/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network devices by rtnetlink: find one, move it to another network namespace, give it addresses, set it up.
 *
 * Only what that needs, so no library: one request at a time on a socket, an answer for each. A socket belongs for ever to
 * the network namespace that it was made in, so with one made in a container the caller acts there without ever leaving
 * its own.
 *
 * Spec: netlink(7), rtnetlink(7)
 */
#ifndef TARE_OS_NETLINK_H
#define TARE_OS_NETLINK_H

#include "base/arena.h"

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

struct os_link {
	int index;
	bool up;
};

/* Addresses as the messages that would add them. */
struct os_addresses {
	char *messages;
	size_t len, capacity;
};

/*
 * A bound for what one device may have, in bytes of messages: some ten thousand addresses. The kernel has none, but every
 * one of them is sent once more.
 */
#define OS_ADDRESSES_MAX (1024 * 1024)

/*
 * os_netlink_open() - a rtnetlink socket
 * @ns: the network namespace to make it in, by a short-lived process that joins it; -1: our own
 *
 * Needs:  for another namespace CAP_SYS_ADMIN in its user namespace and in our own
 * Return: an O_CLOEXEC fd; -errno
 */
int os_netlink_open(int ns) MUST_CHECK;

/* os_netlink_ns() - the network namespace that the socket is in, as an O_CLOEXEC fd; -errno */
int os_netlink_ns(int nl) MUST_CHECK;

/* os_link_find() - Return: 0; -ENODEV if there is none of that name; -errno */
int os_link_find(int nl, const char *name, struct os_link *ret_link) MUST_CHECK;

/*
 * os_link_move() - give the device to another network namespace, under @name there
 *
 * The kernel takes it down for that, and its addresses are gone. Its index may be another one afterwards.
 *
 * Needs:  CAP_NET_ADMIN in the user namespaces of both
 * Return: 0; -EINVAL if it is of a kind that is bound to its namespace; -EEXIST; -errno
 */
int os_link_move(int nl, int index, int ns, const char *name) MUST_CHECK;

int os_link_set_up(int nl, int index) MUST_CHECK;

/*
 * os_addresses_read() - the device's permanent addresses of global scope, with all that belongs to them
 * @ret: in @arena
 * Return: 0; -E2BIG; -errno
 */
int os_addresses_read(struct arena *arena, int nl, int index, struct os_addresses *ret) MUST_CHECK;

/* os_addresses_add() - give them to this device. Those that it has already stay. Return: 0; -errno of the first refused */
int os_addresses_add(int nl, int index, struct os_addresses *addresses) MUST_CHECK;

#endif
