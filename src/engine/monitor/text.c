/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/monitor/call.h"

#define SECONDS_A_DAY 86400

/* ---- what the compiler expects to be there ------------------------------------------------------------------------- */

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	char *t = to;

	for (const char *f = from; n; n--)
		*t++ = *f++;
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	char *t = to;
	const char *f = from;

	if (t <= f)
		return memcpy(to, from, n);
	while (n--)
		t[n] = f[n];
	return to;
}

void *memset(void *to, int byte, size_t n)
{
	for (char *t = to; n; n--)
		*t++ = (char)byte;
	return to;
}

/* ---- numbers and times --------------------------------------------------------------------------------------------- */

char *text_add_u64(char *at, uint64_t value, unsigned width)
{
	char digits[20];
	unsigned n = 0;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	for (; width > n; width--)
		*at++ = '0';
	while (n)
		*at++ = digits[--n];
	*at = '\0';
	return at;
}

/*
 * The date of a day, counted from 1970-01-01, in the Gregorian calendar: the year is taken to begin in March, so that the
 * leap day is its last, and 400 years, which are always as long, to begin in the year 0.
 */
static char *add_date(char *at, uint64_t days)
{
	uint64_t day = days + 719468, era = day / 146097, of_era = day % 146097;
	uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	uint64_t month = (5 * of_year + 2) / 153;

	day = of_year - (153 * month + 2) / 5 + 1;
	month = month < 10 ? month + 3 : month - 9;
	year += era * 400 + (month <= 2);
	at = text_add_u64(at, year, 4);
	at = text_add(at, "-");
	at = text_add_u64(at, month, 2);
	at = text_add(at, "-");
	return text_add_u64(at, day, 2);
}

char *text_add_time(char *at, const struct timespec *ts, bool trim)
{
	uint64_t seconds = ts->tv_sec < 0 ? 0 : (uint64_t)ts->tv_sec;
	uint64_t of_day = seconds % SECONDS_A_DAY;

	at = add_date(at, seconds / SECONDS_A_DAY);
	at = text_add(at, "T");
	at = text_add_u64(at, of_day / 3600, 2);
	at = text_add(at, ":");
	at = text_add_u64(at, of_day / 60 % 60, 2);
	at = text_add(at, ":");
	at = text_add_u64(at, of_day % 60, 2);
	if (!trim || ts->tv_nsec) {
		at = text_add(at, ".");
		at = text_add_u64(at, (uint64_t)ts->tv_nsec, 9);
		while (trim && at[-1] == '0')
			at--;
	}
	return text_add(at, "Z");
}
