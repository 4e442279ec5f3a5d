/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/signal.h"

#include "os/fault.h"

#include <sys/signalfd.h>

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
