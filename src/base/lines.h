/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bounded reader of text files that somebody else wrote: no heap, a fixed buffer. Lines that are too long or hold a
 * NUL are skipped, and reading stops after a fixed amount.
 */
#ifndef TARE_BASE_LINES_H
#define TARE_BASE_LINES_H

#include "base/defer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than 10,000 users of passwd(5); larger files are not read to the end. */
#define LINES_MAX_BYTES ((size_t)1024 * 1024)

/* A longer line is skipped. */
#define LINE_MAX_BYTES 4096

/*
 * lines_each() - hand each line of @fd, without its newline, to @take, until that returns true
 * Return: 1 if it did, 0 at the end, -errno
 */
int lines_each(int fd, bool (*take)(void *arg, const char *line), void *arg) MUST_CHECK;

/* line_field() - the start of field @n of a line "a:b:c"; NULL if it has fewer */
const char *line_field(const char *line, int n);

/* line_number() - a whole field as a decimal number below 2^32. Return: false if it isn't one */
bool line_number(const char *field, uint32_t *ret);

#endif
