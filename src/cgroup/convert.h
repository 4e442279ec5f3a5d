/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two scales that differ between cgroup v1 and v2. Both are pure numbers, tested at their ends. */
#ifndef TARE_CGROUP_CONVERT_H
#define TARE_CGROUP_CONVERT_H

#include <stdint.h>

/*
 * cgroup_cpu_weight() - cpu.shares (2..262144, default 1024) as cpu.weight (1..10000, default 100)
 *
 * The curve goes through both ends and the defaults: 10 ^ ((l^2 + 125 l) / 612 - 7/34) with l = log2(shares), rounded up.
 * Shares outside of the kernel's range are brought into it, as v1 does.
 */
uint64_t cgroup_cpu_weight(uint64_t shares);

/* cgroup_io_weight() - blkio.weight (10..1000) as io.weight (1..10000), linear, 10 to 1 and 1000 to 10000 */
uint64_t cgroup_io_weight(uint64_t weight);

#endif
