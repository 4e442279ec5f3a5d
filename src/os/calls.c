/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/calls.h"

#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *name, *version;
	long nr;
} calls[] = {
	{ "clone3", "5.3", SYS_clone3 },
	{ "open_tree", "5.2", SYS_open_tree },
	{ "move_mount", "5.2", SYS_move_mount },
	{ "fsopen", "5.2", SYS_fsopen },
	{ "fsconfig", "5.2", SYS_fsconfig },
	{ "fsmount", "5.2", SYS_fsmount },
	{ "mount_setattr", "5.12", SYS_mount_setattr },
	{ "pidfd_open", "5.3", SYS_pidfd_open },
	{ "pidfd_getfd", "5.6", SYS_pidfd_getfd },
	{ "pidfd_send_signal", "5.1", SYS_pidfd_send_signal },
	{ "openat2", "5.6", SYS_openat2 },
	{ "execveat", "3.19", SYS_execveat },
	{ "memfd_create", "3.17", SYS_memfd_create },
	{ "statx", "4.11", SYS_statx },
	{ "sched_setattr", "3.14", SYS_sched_setattr },
	{ "set_mempolicy", "2.6.7", SYS_set_mempolicy },
	{ "close_range", "5.9", SYS_close_range },
};

/* No file, no memory, no process, a range that ends before it begins: there is nothing that one of them could do. */
static int is_missing(long nr)
{
	long r = nr == SYS_close_range ? syscall(nr, ~0U, 0U, 0U)
				       : syscall(nr, -1L, -1L, -1L, -1L, -1L);

	return r < 0 && errno == ENOSYS;
}

void os_calls_missing(char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]) && len < size; i++) {
		if (is_missing(calls[i].nr))
			len += (size_t)snprintf(buf + len, size - len, "%s%s (Linux %s)",
						len ? ", " : "", calls[i].name, calls[i].version);
	}
}
