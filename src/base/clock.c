/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"

#include <stdio.h>

/* gmtime_r() needs no time zone file: nothing is opened. */
char *time_rfc3339(const struct timespec *ts, char *buf)
{
	struct tm tm = { 0 };

	gmtime_r(&ts->tv_sec, &tm);
	snprintf(buf, TIME_RFC3339_MAX, "%04u-%02u-%02uT%02u:%02u:%02u.%09uZ", (unsigned)tm.tm_year % 8100 + 1900,
		 ((unsigned)tm.tm_mon + 1) % 100, (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100,
		 (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100, (unsigned)ts->tv_nsec % 1000000000u);
	return buf;
}

char *time_rfc3339_now(char *buf)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return time_rfc3339(&ts, buf);
}
