/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/convert.h"

#define LOG2_OF_10 3.321928094887362348
#define LN_OF_2    0.693147180559945309

/*
 * Not the C library's functions: its log2() and pow(), each in three versions, are 16 kB. A test compares all results with
 * theirs.
 */

/* Of x >= 1. Bit by bit: to square is to double the logarithm. */
static double binary_logarithm(double x)
{
	double sum = 0, bit = 1;

	for (; x >= 2; x /= 2)
		sum += 1;
	for (int i = 0; i < 52; i++) {
		bit /= 2;
		x *= x;
		if (x >= 2) {
			x /= 2;
			sum += bit;
		}
	}
	return sum;
}

/* 2 ^ x of x >= 0: the fraction by the series of e ^ x */
static double power_of_2(double x)
{
	unsigned whole = (unsigned)x;
	double term = 1, sum = 1, fraction = (x - whole) * LN_OF_2;

	for (int i = 1; i < 20; i++) {
		term *= fraction / i;
		sum += term;
	}
	return sum * (double)((uint64_t)1 << whole);
}

uint64_t cgroup_cpu_weight(uint64_t shares)
{
	double l, weight;

	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	/* 7/34 is 126/612: over one denominator the exponent of 1024 is exactly 2, so nothing rounds up to 101. */
	l = binary_logarithm((double)shares);
	weight = power_of_2((l * l + 125 * l - 126) / 612 * LOG2_OF_10);
	return (uint64_t)weight + (weight > (double)(uint64_t)weight);
}

uint64_t cgroup_io_weight(uint64_t weight)
{
	if (weight <= 10)
		return 1;
	return 1 + (weight - 10) * 9999 / 990;
}
