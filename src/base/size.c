/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both forms are a decimal number, perhaps with a fraction, and a unit. The arithmetic is in 128-bit integers: nothing is
 * rounded before the unit is applied, and nothing wraps.
 */
#include "base/size.h"

#include "base/ascii.h"
#include "base/num.h"

#include <string.h>

int size_parse(const char *text, int64_t *ret_bytes)
{
	static const char letters[] = "bkmgtp";
	const char *letter = letters;
	unsigned __int128 bytes;
	struct num_decimal number;

	if (strcmp(text, "-1") == 0) {
		*ret_bytes = -1;
		return 0;
	}
	text = num_decimal(text, &number);
	if (!text)
		return -EINVAL;
	text += *text == ' ';
	if (*text) {
		letter = strchr(letters, *text | 0x20);
		if (!letter)
			return -EINVAL;
		text++;
		if (letter != letters && *text && !ascii_same(text, "b") && !ascii_same(text, "ib"))
			return -EINVAL;
		if (letter == letters && *text)
			return -EINVAL;
	}
	bytes = num_decimal_times(&number, (uint64_t)1 << (10 * (letter - letters)));
	if (bytes > INT64_MAX)
		return -ERANGE;
	*ret_bytes = (int64_t)bytes;
	return 0;
}

/* In the order in which they are tried: "ms" before "m" */
static const struct {
	const char *name;
	uint64_t ns;
} time_units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\xc2\xb5s", 1000 }, /* micro sign */
	{ "\xce\xbcs", 1000 }, /* Greek mu */
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", 60 * 1000000000ULL },
	{ "h", 3600 * 1000000000ULL },
};

static uint64_t read_unit(const char **text)
{
	for (size_t i = 0; i < ARRAY_LEN(time_units); i++) {
		size_t len = strlen(time_units[i].name);

		if (strncmp(*text, time_units[i].name, len) == 0) {
			*text += len;
			return time_units[i].ns;
		}
	}
	return 0;
}

int duration_parse(const char *text, int32_t *ret_ms)
{
	unsigned __int128 ns = 0;
	struct num_decimal number;
	uint64_t unit;

	if (strcmp(text, "0") == 0) {
		*ret_ms = 0;
		return 0;
	}
	do {
		text = num_decimal(text, &number);
		unit = text ? read_unit(&text) : 0;
		if (!unit)
			return -EINVAL;
		ns += num_decimal_times(&number, unit);
		if (ns > (unsigned __int128)INT32_MAX * 1000000)
			return -ERANGE;
	} while (*text);
	*ret_ms = ns > 0 && ns < 1000000 ? 1 : (int32_t)(ns / 1000000);
	return 0;
}
