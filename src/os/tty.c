/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/tty.h"

#include "os/fault.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <termios.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

/*
 * The multiplexer's inode number in every devpts instance (kernel: PTMX_MINOR's inode in
 * fs/devpts/inode.c).
 */
#define PTMX_INODE 2

/*
 * The terminal that is raw because of us. It must be reachable from a signal handler, hence a
 * global. One is enough: it is the terminal of this process.
 */
static struct {
	volatile sig_atomic_t active;
	int fd;
	struct termios before;
} raw_tty;

static int open_multiplexer(int devpts)
{
	struct open_how how = {
		.flags = O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
	};
	defer_close int master = -EBADF;
	struct statfs fs;
	struct stat st;

	OS_FAULT("openat2");
	if (fstatfs(devpts, &fs) < 0)
		return -errno;
	if (fs.f_type != DEVPTS_SUPER_MAGIC)
		return -ENOTTY;
	master = (int)syscall(SYS_openat2, devpts, "ptmx", &how, sizeof(how));
	if (master < 0 || fstat(master, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2) || st.st_ino != PTMX_INODE)
		return -ENOTTY;
	return take_fd(&master);
}

int os_pty_peer(int master)
{
	int slave;

	OS_FAULT("ioctl");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return slave < 0 ? -errno : slave;
}

int os_pty_open(int devpts, int *ret_master, int *ret_slave, char ret_name[OS_PTY_NAME_MAX])
{
	defer_close int master = -EBADF;
	int slave, number, locked = 0;

	master = open_multiplexer(devpts);
	if (master < 0)
		return master;

	OS_FAULT("ioctl");
	if (ioctl(master, TIOCSPTLCK, &locked) < 0 || ioctl(master, TIOCGPTN, &number) < 0)
		return -errno;
	slave = os_pty_peer(master);
	if (slave < 0)
		return slave;

	snprintf(ret_name, OS_PTY_NAME_MAX, "/dev/pts/%d", number);
	*ret_slave = slave;
	*ret_master = take_fd(&master);
	return 0;
}

int os_tty_set_size(int tty, unsigned short rows, unsigned short columns)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };

	OS_FAULT("ioctl");
	return ioctl(tty, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

int os_tty_copy_size(int from, int to)
{
	struct winsize size;

	OS_FAULT("ioctl");
	if (ioctl(from, TIOCGWINSZ, &size) < 0 || ioctl(to, TIOCSWINSZ, &size) < 0)
		return -errno;
	return 0;
}

int os_tty_take(int tty)
{
	OS_FAULT("ioctl");
	return ioctl(tty, TIOCSCTTY, 0) < 0 ? -errno : 0;
}

int os_tty_plain_newlines(int pty)
{
	struct termios t;

	OS_FAULT("ioctl");
	if (tcgetattr(pty, &t) < 0)
		return -errno;
	t.c_oflag &= ~(tcflag_t)ONLCR;
	return tcsetattr(pty, TCSANOW, &t) < 0 ? -errno : 0;
}

int os_tty_eof_char(int pty)
{
	struct termios t;

	OS_FAULT("ioctl");
	if (tcgetattr(pty, &t) < 0)
		return -errno;
	if (!(t.c_lflag & ICANON) || t.c_cc[VEOF] == _POSIX_VDISABLE)
		return -ENODATA;
	return t.c_cc[VEOF];
}

void os_tty_restore(void)
{
	if (!raw_tty.active)
		return;
	raw_tty.active = 0;
	tcsetattr(raw_tty.fd, TCSANOW, &raw_tty.before);
}

/*
 * tcsetattr() and raise() are async-signal-safe. SA_RESETHAND: the second time the signal ends us.
 */
static void restore_and_die(int signo)
{
	os_tty_restore();
	raise(signo);
}

static void catch_faults(void)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	struct sigaction action = { .sa_handler = restore_and_die,
				    .sa_flags = (int)SA_RESETHAND | SA_NODEFER };

	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		sigaction(faults[i], &action, NULL);
}

int os_tty_raw(int tty)
{
	struct termios t;

	/*
	 * With SIGTTOU blocked the kernel would let us change the terminal from the background,
	 * under the hands of the shell that reads from it.
	 */
	if (tcgetpgrp(tty) != getpgrp())
		return 0;

	OS_FAULT("ioctl");
	if (tcgetattr(tty, &t) < 0)
		return -errno;
	raw_tty.fd = tty;
	raw_tty.before = t;
	cfmakeraw(&t);
	t.c_oflag |= OPOST;
	if (tcsetattr(tty, TCSANOW, &t) < 0)
		return -errno;
	raw_tty.active = 1;
	catch_faults();
	return 1;
}
