/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading integers strictly: decimal digits and, for the signed ones, a leading minus. No blanks, no plus sign, no
 * octal or hexadecimal, nothing after the last digit; every value of the type is reachable and nothing wraps.
 */
#ifndef TARE_BASE_NUM_H
#define TARE_BASE_NUM_H

#include "base/defer.h"

#include <stddef.h>
#include <stdint.h>

/*
 * num_u64(), num_i64() - read the @len bytes at @text
 * Return: 0; -EINVAL when it is no integer; -ERANGE when it is one, but out of range
 */
int num_u64(const char *text, size_t len, uint64_t *ret) MUST_CHECK;
int num_i64(const char *text, size_t len, int64_t *ret) MUST_CHECK;

/* num_parse_u64(), num_parse_i64() - the same for a whole string, and only from @min to @max */
int num_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret) MUST_CHECK;
int num_parse_i64(const char *text, int64_t min, int64_t max, int64_t *ret) MUST_CHECK;

/* A decimal number without a sign, perhaps with a fraction: digits / scale, exactly. */
struct num_decimal {
	uint64_t digits, scale; /* scale: a power of ten */
};

/*
 * num_decimal() - read the number that @text begins with: "5", "0.25", ".5", "5."
 * Return: what follows it in @text; NULL if there is no number, or one of more than 18 digits
 */
const char *num_decimal(const char *text, struct num_decimal *ret);

/* num_decimal_times() - @number units of @unit, a fraction cut off; nothing wraps */
unsigned __int128 num_decimal_times(const struct num_decimal *number, uint64_t unit);

#endif
