/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times as people give them: a date, a date and a time, seconds since 1970, or how long ago. */
#ifndef TARE_CLI_WHEN_H
#define TARE_CLI_WHEN_H

#include "base/clock.h"
#include "base/err.h"

#define WHEN_MAX TIME_RFC3339_MAX

/*
 * when_parse() - "10m" or "1h30m" ago, "1769846709.5", "2026-01-31", "2026-01-31T08:05:09.5+01:00"; without a zone: ours
 * @now: that "ago" counts from
 *
 * Return: 0; -EINVAL
 */
int when_parse(const char *text, const struct timespec *now, struct timespec *ret) MUST_CHECK;

/*
 * when_option() - the same for an option, as RFC 3339 with nanoseconds, UTC
 * @buf: WHEN_MAX bytes; *ret is in it, or NULL if @text is
 */
int when_option(const char *name, const char *text, char *buf, const char **ret,
		struct err *err) MUST_CHECK;

#endif
