/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the monitor asks of the kernel, and the few functions of a C library that it needs. It is linked without one, since
 * the start-up of glibc alone would touch more memory than all of the rest (docs/design/030-the-monitor.md).
 *
 * All calls return -errno instead of setting errno.
 */
#ifndef TARE_ENGINE_MONITOR_CALL_H
#define TARE_ENGINE_MONITOR_CALL_H

#include "os/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#define KERNEL_SIGSET_BYTES 8

static inline ssize_t call_read(int fd, void *buf, size_t size)
{
	return raw_syscall(SYS_read, fd, (long)buf, (long)size, 0, 0);
}

static inline ssize_t call_write(int fd, const void *bytes, size_t n)
{
	return raw_syscall(SYS_write, fd, (long)bytes, (long)n, 0, 0);
}

static inline ssize_t call_pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	return raw_syscall(SYS_pwrite64, fd, (long)bytes, (long)n, at, 0);
}

static inline int call_close(int fd)
{
	return (int)raw_syscall(SYS_close, fd, 0, 0, 0, 0);
}

static inline int call_openat(int dir, const char *path, int flags, mode_t mode)
{
	return (int)raw_syscall(SYS_openat, dir, (long)path, flags | O_CLOEXEC, mode, 0);
}

static inline int call_renameat(int dir, const char *from, const char *to)
{
	return (int)raw_syscall(SYS_renameat2, dir, (long)from, dir, (long)to, 0);
}

static inline int call_unlinkat(int dir, const char *path)
{
	return (int)raw_syscall(SYS_unlinkat, dir, (long)path, 0, 0, 0);
}

static inline int call_ftruncate(int fd, off_t size)
{
	return (int)raw_syscall(SYS_ftruncate, fd, size, 0, 0, 0);
}

static inline off_t call_seek_end(int fd)
{
	return (off_t)raw_syscall(SYS_lseek, fd, 0, SEEK_END, 0, 0);
}

static inline int call_fcntl(int fd, int command, long arg)
{
	return (int)raw_syscall(SYS_fcntl, fd, command, arg, 0, 0);
}

static inline int call_ioctl(int fd, unsigned long request, long arg)
{
	return (int)raw_syscall(SYS_ioctl, fd, (long)request, arg, 0, 0);
}

static inline struct timespec call_now(clockid_t clock)
{
	struct timespec ts = { 0, 0 };

	(void)raw_syscall(SYS_clock_gettime, clock, (long)&ts, 0, 0, 0);
	return ts;
}

static inline int call_epoll_add(int epoll, int fd, uint32_t events, uint32_t tag)
{
	struct epoll_event event = { .events = events, .data.u64 = tag };

	return (int)raw_syscall(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, fd, (long)&event, 0);
}

static inline int call_epoll_wait(int epoll, struct epoll_event *events, int n, int timeout_ms)
{
	/* epoll_pwait() without a mask: some architectures have no other */
	return (int)raw_syscall(SYS_epoll_pwait, epoll, (long)events, n, timeout_ms, 0);
}

/* call_mask() - block the signals in @mask, a bit each, and no others */
static inline void call_mask(uint64_t mask)
{
	(void)raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, KERNEL_SIGSET_BYTES, 0);
}

_Noreturn static inline void call_exit(int status)
{
	for (;;)
		(void)raw_syscall(SYS_exit_group, status, 0, 0, 0, 0);
}

/* ---- text --------------------------------------------------------------------------------------------------------- */

static inline size_t text_len(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

/* text_add() - copy @text to @at. Return: behind its end */
static inline char *text_add(char *at, const char *text)
{
	while (*text)
		*at++ = *text++;
	*at = '\0';
	return at;
}

/* What the compiler itself calls, too (text.c) */
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);

/* text_add_u64() - @value in decimal, with zeros in front up to @width digits. Return: behind its end */
char *text_add_u64(char *at, uint64_t value, unsigned width);

/* Room for any text_add_time() */
#define TEXT_TIME_MAX 40

/*
 * text_add_time() - RFC 3339, UTC. Return: behind its end
 * @trim: leave out zeros at the end of the fraction, as Go's RFC3339Nano does, which docker's logs have
 */
char *text_add_time(char *at, const struct timespec *ts, bool trim);

#endif
