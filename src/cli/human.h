/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes and ages as people read them. */
#ifndef TARE_CLI_HUMAN_H
#define TARE_CLI_HUMAN_H

#include "base/arena.h"

#include <stdint.h>
#include <time.h>

/* human_size() - "1.27GB": three digits, powers of 1000, as docker shows them */
char *human_size(struct arena *arena, uint64_t bytes);

/*
 * human_age() - "3 weeks ago"
 * @rfc3339: when; NULL or no time: "N/A"
 */
char *human_age(struct arena *arena, const char *rfc3339, time_t now);

/* human_duration() - "3 weeks", "About an hour" */
char *human_duration(struct arena *arena, int64_t seconds);

#endif
