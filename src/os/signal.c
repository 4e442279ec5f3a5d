/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/signal.h"

#include "os/fault.h"

#include <poll.h>
#include <sys/signalfd.h>

static const int stop_signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

int os_signal_fd(sigset_t *ret_old_mask)
{
	static const int synchronous[] = {
		SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP
	};
	sigset_t mask, old;
	int fd, r;

	sigfillset(&mask);
	for (size_t i = 0; i < ARRAY_LEN(synchronous); i++)
		sigdelset(&mask, synchronous[i]);

	OS_FAULT("signalfd");
	if (sigprocmask(SIG_BLOCK, &mask, &old) < 0)
		return -errno;
	fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0) {
		r = -errno;
		sigprocmask(SIG_SETMASK, &old, NULL);
		return r;
	}
	*ret_old_mask = old;
	return fd;
}

static sigset_t stop_set(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(stop_signals); i++)
		sigaddset(&set, stop_signals[i]);
	return set;
}

int os_signal_stop_fd(void)
{
	sigset_t set = stop_set();
	int fd;

	OS_FAULT("signalfd");
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int os_signal_stop_take(void)
{
	static const struct timespec at_once;
	sigset_t set = stop_set();
	int number = sigtimedwait(&set, NULL, &at_once);

	return number > 0 ? number : 0;
}

int os_signal_wait(int fd)
{
	defer_close int stop = -EBADF;
	struct pollfd fds[2];

	stop = os_signal_stop_fd();
	if (stop < 0)
		return stop;
	fds[0] = (struct pollfd){ .fd = fd, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = stop, .events = POLLIN };
	OS_FAULT("poll");
	while (poll(fds, ARRAY_LEN(fds), -1) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return fds[0].revents ? 0 : os_signal_stop_take();
}
