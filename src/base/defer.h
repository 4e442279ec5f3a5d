/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owned locals. A variable declared with one of the defer_ attributes is released when its scope ends, unless
 * take_fd() or take_ptr() gives it on. Every such variable must be initialised where it is declared: fds to
 * -EBADF, pointers to NULL.
 */
#ifndef TARE_BASE_DEFER_H
#define TARE_BASE_DEFER_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define ARRAY_LEN(a)           (sizeof(a) / sizeof((a)[0]))

/* Closes *fd if it is open and keeps errno; close() is never retried, the fd is gone even on EINTR. */
static inline void defer_close_fn(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void defer_free_fn(void *ptr)
{
	free(*(void **)ptr);
}

#define defer_close __attribute__((cleanup(defer_close_fn)))
#define defer_free  __attribute__((cleanup(defer_free_fn)))

/* take_fd() - give an owned fd on: returns it and leaves -EBADF behind */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -EBADF;
	return taken;
}

#define take_ptr(ptr)                                                                              \
	({                                                                                         \
		__typeof__(ptr) taken_ = (ptr);                                                    \
		(ptr) = NULL;                                                                      \
		taken_;                                                                            \
	})

#endif
