/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both forms are a decimal number, perhaps with a fraction, and a unit. The arithmetic is in 128-bit integers: nothing is
 * rounded before the unit is applied, and nothing wraps.
 */
#include "cli/size.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* More digits than any 64-bit number has can't be meant. */
#define DIGITS_MAX 18

/* number = digits / 10^fraction */
struct decimal {
	uint64_t digits, scale;
};

/* Return: what follows; NULL if there is no number or it is too long */
static const char *read_decimal(const char *text, struct decimal *ret)
{
	struct decimal number = { .scale = 1 };
	bool point = false;
	int digits = 0;

	for (;; text++) {
		if (*text == '.' && !point) {
			point = true;
			continue;
		}
		if (*text < '0' || *text > '9')
			break;
		if (++digits > DIGITS_MAX)
			return NULL;
		number.digits = number.digits * 10 + (uint64_t)(*text - '0');
		number.scale *= point ? 10 : 1;
	}
	*ret = number;
	return digits ? text : NULL;
}

static unsigned __int128 times(const struct decimal *number, uint64_t unit)
{
	return (unsigned __int128)number->digits * unit / number->scale;
}

int size_parse(const char *text, int64_t *ret_bytes)
{
	static const char letters[] = "bkmgtp";
	const char *letter = letters;
	unsigned __int128 bytes;
	struct decimal number;

	if (strcmp(text, "-1") == 0) {
		*ret_bytes = -1;
		return 0;
	}
	text = read_decimal(text, &number);
	if (!text)
		return -EINVAL;
	text += *text == ' ';
	if (*text) {
		letter = strchr(letters, *text | 0x20);
		if (!letter)
			return -EINVAL;
		text++;
		if (letter != letters && *text && strcasecmp(text, "b") != 0 &&
		    strcasecmp(text, "ib") != 0)
			return -EINVAL;
		if (letter == letters && *text)
			return -EINVAL;
	}
	bytes = times(&number, (uint64_t)1 << (10 * (letter - letters)));
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
	struct decimal number;
	uint64_t unit;

	if (strcmp(text, "0") == 0) {
		*ret_ms = 0;
		return 0;
	}
	do {
		text = read_decimal(text, &number);
		unit = text ? read_unit(&text) : 0;
		if (!unit)
			return -EINVAL;
		ns += times(&number, unit);
		if (ns > (unsigned __int128)INT32_MAX * 1000000)
			return -ERANGE;
	} while (*text);
	*ret_ms = ns > 0 && ns < 1000000 ? 1 : (int32_t)(ns / 1000000);
	return 0;
}
