/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Each row: first byte from..to, length, and the range of the second byte; the others are 80..BF. */
static const struct {
	uint8_t first, last, len, low, high;
} forms[] = {
	{ 0x00, 0x7f, 1, 0, 0 },       { 0xc2, 0xdf, 2, 0x80, 0xbf }, { 0xe0, 0xe0, 3, 0xa0, 0xbf },
	{ 0xe1, 0xec, 3, 0x80, 0xbf }, { 0xed, 0xed, 3, 0x80, 0x9f }, { 0xee, 0xef, 3, 0x80, 0xbf },
	{ 0xf0, 0xf0, 4, 0x90, 0xbf }, { 0xf1, 0xf3, 4, 0x80, 0xbf }, { 0xf4, 0xf4, 4, 0x80, 0x8f },
};

size_t utf8_decode(const char *text, size_t len)
{
	const uint8_t *bytes = (const uint8_t *)text;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (bytes[0] < forms[i].first || bytes[0] > forms[i].last)
			continue;
		if (forms[i].len == 1)
			return 1;
		if (forms[i].len > len || bytes[1] < forms[i].low || bytes[1] > forms[i].high)
			return 0;
		for (size_t k = 2; k < forms[i].len; k++) {
			if ((bytes[k] & 0xc0) != 0x80)
				return 0;
		}
		return forms[i].len;
	}
	return 0;
}

/* C0, DEL, and C1, which some terminals take for commands as well. */
static bool is_control(const unsigned char *c, size_t len)
{
	return c[0] < 0x20 || c[0] == 0x7f || (len == 2 && c[0] == 0xc2 && c[1] < 0xa0);
}

void utf8_printable(const char *text, char *buf, size_t size)
{
	size_t left = strlen(text), len;
	char escaped[8];

	for (; left > 0; text += len, left -= len) {
		const unsigned char *c = (const unsigned char *)text;
		const char *shown = text;
		size_t shown_len = len = utf8_decode(text, left);

		if (!len || is_control(c, len)) {
			len = 1;
			snprintf(escaped, sizeof(escaped),
				 *c == '\n'   ? "\\n"
				 : *c == '\t' ? "\\t"
					      : "\\x%02x",
				 *c);
			shown = escaped;
			shown_len = strlen(escaped);
		}
		if (shown_len >= size)
			break;
		memcpy(buf, shown, shown_len);
		buf += shown_len;
		size -= shown_len;
	}
	*buf = '\0';
}

size_t utf8_encode(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 63));
		out[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 63));
	out[2] = (char)(0x80 | (c >> 6 & 63));
	out[3] = (char)(0x80 | (c & 63));
	return 4;
}
