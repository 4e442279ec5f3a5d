/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words that mean the same in either case: of ASCII only, whatever the locale.
 *
 * Not strcasecmp() and its like: a static program gets nine versions of each, for as many kinds of processors, and the
 * tables of locales with them (30 kB).
 */
#ifndef TARE_BASE_ASCII_H
#define TARE_BASE_ASCII_H

#include <stdbool.h>
#include <stddef.h>

static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* ascii_hex_digit() - what a hexadecimal digit, of either case, stands for: 0..15; -1 for anything else */
static inline int ascii_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ascii_same() - are the two texts the same, but for case? */
bool ascii_same(const char *a, const char *b);

/* ascii_begins() - does @text begin with the first @len bytes of @prefix, which has as many? */
bool ascii_begins(const char *text, const char *prefix, size_t len);

/* ascii_contains() - is @part somewhere in @text? */
bool ascii_contains(const char *text, const char *part);

#endif
