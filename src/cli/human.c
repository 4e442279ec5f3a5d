/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/human.h"

#include <stdio.h>
#include <string.h>

char *human_size(struct arena *arena, uint64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double value = (double)bytes;
	size_t unit = 0;

	/* 999.5 is shown with the next unit, since three digits of it would be 1000. */
	while (value >= 999.5 && unit + 1 < ARRAY_LEN(units)) {
		value /= 1000;
		unit++;
	}
	return arena_printf(arena, "%.3g%s", value, units[unit]);
}

char *human_duration(struct arena *arena, int64_t seconds)
{
	static const struct {
		int64_t seconds, up_to; /* of one; shown until there are so many of it */
		const char *one, *many;
	} units[] = {
		{ 1, 60, "1 second", "seconds" },
		{ 60, 60, "About a minute", "minutes" },
		{ 3600, 48, "About an hour", "hours" },
		{ 86400, 14, "1 day", "days" },
		{ 7 * 86400, 9, "1 week", "weeks" },
		{ 30 * 86400, 24, "1 month", "months" },
		{ 365 * 86400, INT64_MAX, "1 year", "years" },
	};
	size_t i = 0;
	int64_t n;

	if (seconds < 1)
		return arena_strdup(arena, "Less than a second");
	while (seconds / units[i].seconds >= units[i].up_to)
		i++;
	n = seconds / units[i].seconds;
	return n == 1 ? arena_strdup(arena, units[i].one)
		      : arena_printf(arena, "%lld %s", (long long)n, units[i].many);
}

char *human_age(struct arena *arena, const char *rfc3339, time_t now)
{
	struct tm tm = { .tm_year = 0 };
	const char *rest = rfc3339 ? strptime(rfc3339, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	int64_t offset = 0;
	int hours, minutes;
	char sign;

	if (!rest)
		return arena_strdup(arena, "N/A");
	rest += *rest == '.' ? 1 + strspn(rest + 1, "0123456789") : 0;
	if (sscanf(rest, "%c%2d:%2d", &sign, &hours, &minutes) == 3)
		offset = (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	return arena_printf(arena, "%s ago",
			    human_duration(arena, (int64_t)now - ((int64_t)timegm(&tm) - offset)));
}
