/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * D-Bus messages as bytes: as much of the protocol as talking to systemd needs.
 *
 * What is sent is a signature and a list of words, in busctl(1)'s order: one word for a number, a string or a truth, the
 * number of elements before an array's, the signature before a variant's value. So one list serves the bus and the
 * command line that `explain` prints. What is received is looked at in place: every length and every string is checked
 * against the bytes that are there before anything is believed.
 *
 * Spec: D-Bus specification, "Message Protocol", "Marshaling"
 */
#ifndef TARE_CGROUP_DBUS_WIRE_H
#define TARE_CGROUP_DBUS_WIRE_H

#include "base/arena.h"
#include "spec/config.h"

#include <endian.h>
#include <stddef.h>
#include <stdint.h>

/* systemd's own messages to us have some hundred bytes; what others broadcast stays well below this, too. */
#define DBUS_MESSAGE_MAX ((size_t)256 * 1024)

/* Deeper than any signature of systemd's; the specification's own limit is 32 of each kind. */
#define DBUS_DEPTH_MAX 16

/* Both ends are on one machine, so the sender's byte order is ours. */
#define DBUS_NATIVE_ORDER (__BYTE_ORDER == __LITTLE_ENDIAN ? 'l' : 'B')
#define DBUS_VERSION      1

enum {
	DBUS_FIELD_PATH = 1,
	DBUS_FIELD_INTERFACE,
	DBUS_FIELD_MEMBER,
	DBUS_FIELD_ERROR_NAME,
	DBUS_FIELD_REPLY_SERIAL,
	DBUS_FIELD_DESTINATION,
	DBUS_FIELD_SENDER,
	DBUS_FIELD_SIGNATURE
};

enum { DBUS_CALL = 1, DBUS_REPLY = 2, DBUS_ERROR = 3, DBUS_SIGNAL = 4 };

struct dbus_buffer {
	struct arena *arena;
	uint8_t *data; /* in the arena */
	size_t len, capacity;
};

struct dbus_call {
	const char *destination; /* NULL: the peer itself, where no bus is between us */
	const char *path, *interface, *member;
	const char *signature; /* of @words, "" if there are none */
	struct str_list words;
};

/* A received message; everything points into the bytes that it was parsed from. NULL: not given. */
struct dbus_message {
	uint8_t type;
	uint32_t serial, reply_serial;
	const char *path, *interface, *member, *error_name, *signature;
	const uint8_t *body;
	size_t body_len;
};

union dbus_value {
	uint32_t number;  /* u */
	const char *text; /* s, o */
};

/*
 * dbus_put() - append the values that @words are, at the alignment that their place in @buffer asks for
 * Return: 0; -EINVAL if they are not what @signature says; -E2BIG above DBUS_MESSAGE_MAX
 */
int dbus_put(struct dbus_buffer *buffer, const char *signature,
	     const struct str_list *words) MUST_CHECK;

/* dbus_put_call() - append a whole method call, for which a reply is expected. Return: as dbus_put() */
int dbus_put_call(struct dbus_buffer *buffer, uint32_t serial,
		  const struct dbus_call *call) MUST_CHECK;

/*
 * dbus_message_size() - how long the message that begins at @data is
 * Return: 0 and *ret; -EAGAIN if more bytes are needed to know; -EPROTO if it can't be one; -EMSGSIZE if it is too long
 */
int dbus_message_size(const uint8_t *data, size_t len, size_t *ret) MUST_CHECK;

/* dbus_message_parse() - @data holds exactly one message, aligned to 8. Return: 0; -EPROTO */
int dbus_message_parse(const uint8_t *data, size_t len, struct dbus_message *ret) MUST_CHECK;

/*
 * dbus_message_read() - the first values of the body
 * @signature: of "u", "s" and "o" only; the message's own may go on after it
 * @ret:       one for each
 * Return: 0; -EPROTO
 */
int dbus_message_read(const struct dbus_message *message, const char *signature,
		      union dbus_value *ret) MUST_CHECK;

#endif
