/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes and times on a command line, as people and callers of runc write them. */
#ifndef TARE_BASE_SIZE_H
#define TARE_BASE_SIZE_H

#include "base/defer.h"

#include <stdint.h>

/*
 * size_parse() - bytes: "1048576", "512m", "1.5g", "64KiB"; units are powers of 1024, in either case; "-1": no limit
 * Return: 0; -EINVAL; -ERANGE above INT64_MAX
 */
int size_parse(const char *text, int64_t *ret_bytes) MUST_CHECK;

/*
 * duration_parse() - a time in the form of Go: "5s", "500ms", "1m30s", "1.5h"; every number has a unit, but for a lone 0
 * Return: 0 and milliseconds, at least 1 if it was above 0; -EINVAL; -ERANGE above INT32_MAX ms
 */
int duration_parse(const char *text, int32_t *ret_ms) MUST_CHECK;

#endif
