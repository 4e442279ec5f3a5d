/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/when.h"

#include "base/num.h"
#include "base/size.h"

#include <stdio.h>
#include <string.h>

#define NS_A_SECOND 1000000000L

/* ".25" of a second. Return: what follows; NULL if it is no fraction */
static const char *read_fraction(const char *text, long *ret_ns)
{
	long unit = NS_A_SECOND / 10;

	*ret_ns = 0;
	if (*text != '.')
		return text;
	if (text[1] < '0' || text[1] > '9')
		return NULL;
	for (text++; *text >= '0' && *text <= '9'; text++) {
		*ret_ns += (*text - '0') * unit;
		unit /= 10;
	}
	return text;
}

static int read_seconds(const char *text, struct timespec *ret)
{
	size_t digits = strspn(text, "0123456789");
	const char *rest;
	uint64_t seconds;
	long ns;

	if (num_u64(text, digits, &seconds) < 0 || seconds > INT32_MAX * (uint64_t)1000)
		return -EINVAL;
	rest = read_fraction(text + digits, &ns);
	if (!rest || *rest)
		return -EINVAL;
	*ret = (struct timespec){ (time_t)seconds, ns };
	return 0;
}

static int read_ago(const char *text, const struct timespec *now, struct timespec *ret)
{
	int32_t ms;

	if (duration_parse(text, &ms) < 0)
		return -EINVAL;
	*ret = (struct timespec){ now->tv_sec - ms / 1000, now->tv_nsec - ms % 1000 * 1000000L };
	if (ret->tv_nsec < 0) {
		ret->tv_nsec += NS_A_SECOND;
		ret->tv_sec--;
	}
	return 0;
}

/* "Z", "+01:00", "" for ours */
static int to_utc(struct tm *tm, const char *zone, time_t *ret)
{
	int hours, minutes, used = 0;

	if (!*zone) {
		tm->tm_isdst = -1;
		*ret = mktime(tm);
		return 0;
	}
	*ret = timegm(tm);
	if (strcmp(zone, "Z") == 0)
		return 0;
	if ((*zone != '+' && *zone != '-') ||
	    sscanf(zone + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 || zone[1 + used])
		return -EINVAL;
	*ret -= (*zone == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	return 0;
}

static int read_date(const char *text, struct timespec *ret)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d" };
	const char *rest = NULL;
	struct tm tm;

	for (size_t i = 0; i < ARRAY_LEN(forms) && !rest; i++) {
		tm = (struct tm){ .tm_year = 0 };
		rest = strptime(text, forms[i], &tm);
	}
	if (rest)
		rest = read_fraction(rest, &ret->tv_nsec);
	return rest ? to_utc(&tm, rest, &ret->tv_sec) : -EINVAL;
}

int when_parse(const char *text, const struct timespec *now, struct timespec *ret)
{
	struct timespec when = { 0 };

	if (read_seconds(text, &when) < 0 && read_ago(text, now, &when) < 0 &&
	    read_date(text, &when) < 0)
		return -EINVAL;
	*ret = when;
	return 0;
}

int when_option(const char *name, const char *text, char *buf, const char **ret, struct err *err)
{
	const int64_t ns = clock_wall_ns();
	const struct timespec now = { ns / NS_A_SECOND, ns % NS_A_SECOND };
	struct timespec when;

	*ret = NULL;
	if (!text)
		return 0;
	if (when_parse(text, &now, &when) < 0) {
		err_user(err, "%s \"%s\" is no time", name, text);
		return err_hint(
			err, "10m means ten minutes ago; else 2026-01-31, 2026-01-31T08:05:09Z or "
			     "seconds since 1970");
	}
	*ret = time_rfc3339(&when, buf);
	return 0;
}
