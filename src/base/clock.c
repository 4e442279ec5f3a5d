/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * By the system call, not by the vDSO: to look there is two or three page faults in each process, and who looks once or
 * twice never earns them back.
 */
static struct timespec now(clockid_t clock)
{
	struct timespec ts = { 0 };

	(void)syscall(SYS_clock_gettime, clock, &ts);
	return ts;
}

static bool is_leap(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/*
 * Day number since 1970-01-01 to a date of the Gregorian calendar. Not gmtime_r(): glibc's reads the time zone file,
 * seven system calls for a zone that is always UTC.
 */
static void to_date(int64_t days, unsigned *ret_year, unsigned *ret_month, unsigned *ret_day)
{
	static const unsigned char lengths[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned year = 1970, month = 0, length;

	while (days >= (is_leap(year) ? 366 : 365))
		days -= is_leap(year++) ? 366 : 365;
	for (; month < 11; month++) {
		length = lengths[month] + (month == 1 && is_leap(year));
		if (days < (int64_t)length)
			break;
		days -= length;
	}
	*ret_year = year;
	*ret_month = month + 1;
	*ret_day = (unsigned)days + 1;
}

char *time_rfc3339(const struct timespec *ts, char *buf)
{
	/* Before 1970 and after 9999 there is no container; a clock that says so is wrong. */
	const int64_t last = 253402300799;
	int64_t secs = ts->tv_sec < 0 ? 0 : ts->tv_sec > last ? last : ts->tv_sec;
	unsigned year, month, day, second = (unsigned)(secs % 86400);

	to_date(secs / 86400, &year, &month, &day);
	snprintf(buf, TIME_RFC3339_MAX, "%04u-%02u-%02uT%02u:%02u:%02u.%09uZ", year % 10000,
		 month % 100, day % 100, second / 3600, second / 60 % 60, second % 60,
		 (unsigned)ts->tv_nsec % 1000000000u);
	return buf;
}

char *time_rfc3339_now(char *buf)
{
	struct timespec ts = now(CLOCK_REALTIME);

	return time_rfc3339(&ts, buf);
}

int64_t clock_wall_ns(void)
{
	struct timespec ts;

	/* For traces, which look hundreds of times: the C library reads it from the vDSO. */
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t clock_ms(void)
{
	struct timespec ts = now(CLOCK_MONOTONIC);

	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
