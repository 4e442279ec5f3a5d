/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/num.h"

#include <stdbool.h>
#include <string.h>

static bool is_digits(const char *text, size_t len)
{
	if (!len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
	}
	return true;
}

int num_u64(const char *text, size_t len, uint64_t *ret)
{
	uint64_t value = 0;

	if (len && text[0] == '-' && is_digits(text + 1, len - 1))
		return -ERANGE;
	if (!is_digits(text, len))
		return -EINVAL;

	for (size_t i = 0; i < len; i++) {
		if (__builtin_mul_overflow(value, 10U, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
			return -ERANGE;
	}
	*ret = value;
	return 0;
}

int num_i64(const char *text, size_t len, int64_t *ret)
{
	bool negative = len && text[0] == '-';
	uint64_t size;
	int r;

	r = num_u64(text + negative, len - negative, &size);
	if (r == -ERANGE && negative && text[1] == '-')
		return -EINVAL;
	if (r < 0)
		return r;
	if (size > (uint64_t)INT64_MAX + negative)
		return -ERANGE;

	*ret = negative ? (int64_t)(0 - size) : (int64_t)size;
	return 0;
}

/* A whole string, and the bounds: the same for both types. */
#define DEFINE_PARSE(name, read, type)                                                             \
	int name(const char *text, type min, type max, type *ret)                                  \
	{                                                                                          \
		type value;                                                                        \
		int r = read(text, strlen(text), &value);                                          \
                                                                                                   \
		if (r < 0)                                                                         \
			return r;                                                                  \
		if (value < min || value > max)                                                    \
			return -ERANGE;                                                            \
		*ret = value;                                                                      \
		return 0;                                                                          \
	}

DEFINE_PARSE(num_parse_u64, num_u64, uint64_t)
DEFINE_PARSE(num_parse_i64, num_i64, int64_t)

/* More digits than any 64-bit number has can't be meant. */
#define DIGITS_MAX 18

const char *num_decimal(const char *text, struct num_decimal *ret)
{
	struct num_decimal number = { .scale = 1 };
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

unsigned __int128 num_decimal_times(const struct num_decimal *number, uint64_t unit)
{
	return (unsigned __int128)number->digits * unit / number->scale;
}
