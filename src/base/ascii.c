/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/ascii.h"

#include <string.h>

bool ascii_begins(const char *text, const char *prefix, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		/* A shorter text differs at its end. */
		if (ascii_lower(text[i]) != ascii_lower(prefix[i]))
			return false;
	}
	return true;
}

bool ascii_same(const char *a, const char *b)
{
	return ascii_begins(a, b, strlen(b) + 1);
}

bool ascii_contains(const char *text, const char *part)
{
	size_t len = strlen(part);

	for (;; text++) {
		if (ascii_begins(text, part, len))
			return true;
		if (!*text)
			return false;
	}
}
