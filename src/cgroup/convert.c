/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/convert.h"

#include <math.h>

uint64_t cgroup_cpu_weight(uint64_t shares)
{
	double l;

	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	/* 7/34 is 126/612: over one denominator the exponent of 1024 is exactly 2, so nothing rounds up to 101. */
	l = log2((double)shares);
	return (uint64_t)ceil(pow(10, (l * l + 125 * l - 126) / 612));
}

uint64_t cgroup_io_weight(uint64_t weight)
{
	if (weight <= 10)
		return 1;
	return 1 + (weight - 10) * 9999 / 990;
}
