/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capabilities of the calling process. Sets are bit masks: 1ULL << CAP_*.
 *
 * Man: capabilities(7), capset(2), prctl(2)
 */
#ifndef TARE_OS_CAPS_H
#define TARE_OS_CAPS_H

#include "base/defer.h"

#include <stdbool.h>
#include <stdint.h>

/* os_caps_set() - the three sets of the process; effective within permitted, else -EPERM */
int os_caps_set(uint64_t effective, uint64_t permitted, uint64_t inheritable) MUST_CHECK;

/*
 * os_caps_bounding_drop() - take one capability out of the bounding set, for good
 * Needs:  CAP_SETPCAP
 * Return: 0; -EINVAL if the kernel has no such capability
 */
int os_caps_bounding_drop(int cap) MUST_CHECK;

int os_caps_ambient_clear(void) MUST_CHECK;

/* os_caps_ambient_raise() - -EPERM unless @cap is permitted and inheritable */
int os_caps_ambient_raise(int cap) MUST_CHECK;

/* os_caps_keep() - let the permitted set survive the next change from uid 0 to another; ends at execve */
int os_caps_keep(void) MUST_CHECK;

#endif
