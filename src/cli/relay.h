/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes between our standard streams and the master of the container's pty, both ways, without ever
 * waiting. Each way has one buffer; a way is read only while its buffer is empty, so a slow side
 * slows just the other end of its way.
 */
#ifndef TARE_CLI_OCI_RELAY_H
#define TARE_CLI_OCI_RELAY_H

#include "base/defer.h"

#include <poll.h>
#include <stdbool.h>

struct relay_way {
	int from, to;      /* borrowed; -EBADF: closed for good */
	size_t begin, end; /* of what is in the buffer and not written yet */
	size_t chunk;      /* most bytes in one write */
	char buffer[4096];
};

struct relay {
	struct relay_way input;  /* our stdin to the master */
	struct relay_way output; /* the master to our stdout */
	int own_stdout; /* stdout opened anew, so that O_NONBLOCK is ours alone; else -EBADF */
	int slave;      /* held open, or the master would end whenever nobody inside has it */
	bool hung_up;   /* nobody has the slave any more: what is in the pty is all there will be */
	bool stdin_is_tty;
	bool line_open; /* the last byte of input was no newline */
};

/* Places in the array that relay_poll() fills */
enum { RELAY_STDIN, RELAY_MASTER, RELAY_STDOUT, RELAY_FDS };

/*
 * relay_init() - @master: borrowed, becomes non-blocking. Return: 0; -errno
 * relay_clear() - close what relay_init() opened
 */
int relay_init(struct relay *relay, int master) MUST_CHECK;
void relay_clear(struct relay *relay);

/* relay_poll() - what to wait for: RELAY_FDS entries; unused ones have fd -1 */
void relay_poll(const struct relay *relay, struct pollfd *fds);

/* relay_move() - read and write what poll() found possible */
void relay_move(struct relay *relay, const struct pollfd *fds);

/* relay_end() - the container has ended: no more input, and the slave is no longer held */
void relay_end(struct relay *relay);

/* relay_wake_input() - look at stdin again, after we came back to the foreground */
void relay_wake_input(struct relay *relay);

/* relay_drained() - is everything that the container wrote written out, and can no more come? */
bool relay_drained(const struct relay *relay);

#endif
