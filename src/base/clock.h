/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times as text: RFC 3339 in UTC with nanoseconds, "2026-01-31T08:05:09.012345678Z"; and the clock that time limits go by. */
#ifndef TARE_BASE_CLOCK_H
#define TARE_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Room for any time_rfc3339(), NUL included. */
#define TIME_RFC3339_MAX 40

/* time_rfc3339() - @buf has TIME_RFC3339_MAX bytes. Return: @buf */
char *time_rfc3339(const struct timespec *ts, char *buf);

/* time_rfc3339_now() - the same for CLOCK_REALTIME now */
char *time_rfc3339_now(char *buf);

/* clock_wall_ns() - nanoseconds of CLOCK_REALTIME: what a trace's times are */
int64_t clock_wall_ns(void);

/* clock_ms() - of CLOCK_MONOTONIC: what a time limit is counted by */
int64_t clock_ms(void);

#endif
