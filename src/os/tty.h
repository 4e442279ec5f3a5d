/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Terminals: the pty of a container, and the terminal that we were started from.
 */
#ifndef TARE_OS_TTY_H
#define TARE_OS_TTY_H

#include "base/defer.h"

#include <stdbool.h>
#include <sys/types.h>

/* "/dev/pts/" and a number */
#define OS_PTY_NAME_MAX 32

/*
 * os_pty_open() - a new pty of one devpts instance
 * @devpts:     O_PATH fd of what should be a devpts mount's root; it is checked
 * @ret_name:   the slave's name as seen below that mount's usual place, "/dev/pts/0"
 *
 * Nothing in it goes by path: the multiplexer is opened in the directory itself, neither through a
 * link nor a mount on it, and the slave comes from the master. So a container can't put another
 * terminal in its place (CVE-2025-52565).
 *
 * Return: 0, both fds O_CLOEXEC and nobody's controlling terminal; -ENOTTY if it is no devpts,
 *         -errno
 */
int os_pty_open(int devpts, int *ret_master, int *ret_slave,
		char ret_name[OS_PTY_NAME_MAX]) MUST_CHECK;

/*
 * os_pty_peer() - the slave of a master, wherever that is mounted. Return: an O_CLOEXEC fd; -errno
 */
int os_pty_peer(int master) MUST_CHECK;

/* os_tty_set_size(), os_tty_copy_size() - the window size, in characters. Return: 0; -errno */
int os_tty_set_size(int tty, unsigned short rows, unsigned short columns) MUST_CHECK;
int os_tty_copy_size(int from, int to) MUST_CHECK;

/*
 * os_tty_take() - make it the controlling terminal of this session, of which we must be the leader
 */
int os_tty_take(int tty) MUST_CHECK;

/*
 * os_tty_plain_newlines() - let a pty pass "\n" on as it is, since the terminal on the outside adds
 * the "\r"
 */
int os_tty_plain_newlines(int pty) MUST_CHECK;

/*
 * os_tty_eof_char() - which byte means end of input to the reader of this terminal now
 * Return: 0..255; -ENODATA when it reads byte by byte, so that none does; -errno
 */
int os_tty_eof_char(int pty) MUST_CHECK;

/*
 * os_tty_raw() - hand every key on, unseen by the terminal's line editing; output processing stays
 * on
 *
 * Does nothing if another process group has the terminal now. Undone by os_tty_restore(), and by
 * the handlers it installs if a fault of ours ends the program (SIGSEGV and its like). One terminal
 * at a time.
 *
 * Return: 1 if it is raw now; 0 if it is not ours to change; -errno
 */
int os_tty_raw(int tty) MUST_CHECK;

/*
 * os_tty_restore() - give the terminal back as it was before os_tty_raw(); does nothing if there
 * was none
 */
void os_tty_restore(void);

#endif
