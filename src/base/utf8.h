/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TARE_BASE_UTF8_H
#define TARE_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * utf8_decode() - the length of the well-formed UTF-8 character that @text begins with
 * @len: bytes at @text, at least 1
 *
 * Refuses overlong forms, surrogates and what lies above U+10FFFF, which careless decoders let through.
 *
 * Spec:   RFC 3629 section 4
 * Return: 1..4; 0 if it is not well-formed
 */
size_t utf8_decode(const char *text, size_t len);

/*
 * utf8_encode() - write @c in UTF-8
 * @c: of a character: at most 0x10ffff
 *
 * Return: how many bytes of @out it took, 1..4; no NUL is written behind them
 */
size_t utf8_encode(uint32_t c, char *out);

/*
 * utf8_printable() - copy @text so that it is one line that a terminal shows and doesn't obey
 * @buf: receives at most @size bytes, NUL included; a character that has no room is left out, with all after it
 *
 * Control characters and bytes that are no UTF-8 become \xNN, newline and tab \n and \t.
 */
void utf8_printable(const char *text, char *buf, size_t size);

#endif
