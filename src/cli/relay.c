/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/relay.h"

#include "os/tty.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

/*
 * A terminal that poll() finds writable takes at least this much without waiting (kernel:
 * WAKEUP_CHARS).
 */
#define TTY_CHUNK 256

/*
 * O_NONBLOCK belongs to the open file that we share with the shell and who else inherited it, so it
 * must not be set on our stdout. Opened anew, a pipe or terminal has a flag of its own. Where that
 * can't be done, small writes to what poll() found writable do not wait either: PIPE_BUF for pipes,
 * TTY_CHUNK for terminals; files never make us wait.
 */
static void open_stdout(struct relay *relay)
{
	struct stat st;

	relay->output.to = STDOUT_FILENO;
	relay->output.chunk = PIPE_BUF;
	if (fstat(STDOUT_FILENO, &st) < 0 || !(S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
		return;
	relay->own_stdout = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (relay->own_stdout >= 0)
		relay->output.to = relay->own_stdout;
	else if (S_ISCHR(st.st_mode))
		relay->output.chunk = TTY_CHUNK;
}

int relay_init(struct relay *relay, int master)
{
	int flags = fcntl(master, F_GETFL);

	if (flags < 0 || fcntl(master, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;

	*relay = (struct relay){
		.input = { .from = STDIN_FILENO,
			   .to = master,
			   .chunk = sizeof(relay->input.buffer) },
		.output = { .from = master },
		.own_stdout = -EBADF,
		.slave = os_pty_peer(master),
		.stdin_is_tty = isatty(STDIN_FILENO),
	};
	open_stdout(relay);
	return 0;
}

void relay_clear(struct relay *relay)
{
	defer_close_fn(&relay->own_stdout);
	defer_close_fn(&relay->slave);
	relay->own_stdout = relay->slave = -EBADF;
}

static void close_input(struct relay *relay)
{
	relay->input.from = relay->input.to = -EBADF;
	relay->input.begin = relay->input.end = 0;
}

void relay_end(struct relay *relay)
{
	close_input(relay);
	defer_close_fn(&relay->slave);
	relay->slave = -EBADF;
}

static bool is_empty(const struct relay_way *way)
{
	return way->begin == way->end;
}

void relay_poll(const struct relay *relay, struct pollfd *fds)
{
	const struct relay_way *in = &relay->input, *out = &relay->output;
	short master = 0;

	for (int i = 0; i < RELAY_FDS; i++)
		fds[i] = (struct pollfd){ .fd = -1 };

	if (in->from >= 0 && is_empty(in))
		fds[RELAY_STDIN] = (struct pollfd){ .fd = in->from, .events = POLLIN };
	if (in->to >= 0 && !is_empty(in))
		master |= POLLOUT;
	if (out->from >= 0 && is_empty(out))
		master |= POLLIN;
	/*
	 * Not asked for anything it would still report its hang-up, again and again, until the
	 * buffer is written.
	 */
	if (out->from >= 0 && master)
		fds[RELAY_MASTER] = (struct pollfd){ .fd = out->from, .events = master };
	if (!is_empty(out))
		fds[RELAY_STDOUT] = (struct pollfd){ .fd = out->to, .events = POLLOUT };
}

/* Return: bytes read, 0 if it must wait; -1 at the end */
static ssize_t fill(struct relay_way *way)
{
	ssize_t n = read(way->from, way->buffer, sizeof(way->buffer));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	way->begin = 0;
	way->end = (size_t)n;
	return n;
}

/*
 * A reader that is gone must not hold up the container: from then on what comes for it is dropped.
 */
static void drain(struct relay_way *way)
{
	size_t len = way->end - way->begin;
	ssize_t n;

	n = write(way->to, way->buffer + way->begin, len < way->chunk ? len : way->chunk);
	if (n >= 0)
		way->begin += (size_t)n;
	else if (errno != EAGAIN && errno != EINTR)
		way->begin = way->end;
}

/*
 * The end of a stdin that is no terminal is passed on as the terminal's own sign for it, else
 * whatever reads there would wait for ever. In the middle of a line it takes two: the first ends
 * the line.
 */
static void end_input(struct relay *relay)
{
	struct relay_way *in = &relay->input;
	int eof = os_tty_eof_char(in->to);

	in->from = -EBADF;
	if (eof < 0)
		return;
	in->begin = in->end = 0;
	if (relay->line_open)
		in->buffer[in->end++] = (char)eof;
	in->buffer[in->end++] = (char)eof;
}

static void read_input(struct relay *relay)
{
	struct relay_way *in = &relay->input;
	ssize_t n = fill(in);

	if (n > 0)
		relay->line_open = in->buffer[n - 1] != '\n';
	else if (n < 0 && relay->stdin_is_tty)
		in->from = -EBADF; /* EIO: another process group has it; relay_wake_input() */
	else if (n < 0)
		end_input(relay);
}

void relay_wake_input(struct relay *relay)
{
	if (relay->stdin_is_tty && relay->input.to >= 0)
		relay->input.from = STDIN_FILENO;
}

void relay_move(struct relay *relay, const struct pollfd *fds)
{
	struct relay_way *in = &relay->input, *out = &relay->output;
	short master = fds[RELAY_MASTER].revents;

	relay->hung_up = (master & POLLHUP) || out->from < 0;
	if (fds[RELAY_STDOUT].revents)
		drain(out);
	if ((master & POLLOUT) && !is_empty(in))
		drain(in);
	if ((master & (POLLIN | POLLHUP | POLLERR)) && is_empty(out)) {
		if (fill(out) < 0) {
			out->from = -EBADF;
			close_input(relay);
		}
	}
	if (fds[RELAY_STDIN].revents && is_empty(in) && in->from >= 0)
		read_input(relay);
}

bool relay_drained(const struct relay *relay)
{
	return relay->output.from < 0 && is_empty(&relay->output);
}
