/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which Linux this is, where a feature can't be tried. */
#ifndef TARE_OS_KERNEL_H
#define TARE_OS_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#define OS_KERNEL(major, minor) ((uint64_t)(major) << 16 | (uint64_t)(minor) << 8)

/* os_kernel_version() - as OS_KERNEL() has it; 0 if it can't be known. Asks the kernel once */
uint64_t os_kernel_version(void);

/* os_kernel_version_parse() - "6.18.44-name"; false if it does not begin with such numbers */
bool os_kernel_version_parse(const char *release, uint64_t *ret);

#endif
