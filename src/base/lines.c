/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

const char *line_field(const char *line, int n)
{
	for (; n > 0; n--) {
		line = strchr(line, ':');
		if (!line)
			return NULL;
		line++;
	}
	return line;
}

bool line_number(const char *field, uint32_t *ret)
{
	uint64_t value = 0;

	if (*field < '0' || *field > '9')
		return false;
	for (; *field >= '0' && *field <= '9'; field++) {
		value = value * 10 + (uint64_t)(*field - '0');
		if (value > UINT32_MAX)
			return false;
	}
	*ret = (uint32_t)value;
	return *field == ':' || *field == '\0';
}

int lines_each(int fd, bool (*take)(void *arg, const char *line), void *arg)
{
	char buf[LINE_MAX_BYTES + 1], *line, *end;
	size_t len = 0, total = 0;
	bool skip = false;
	ssize_t n;

	do {
		n = read(fd, buf + len, LINE_MAX_BYTES - len);
		if (n < 0)
			return -errno;
		len += (size_t)n;
		total += (size_t)n;

		/* A last line without its newline counts too. */
		if (n == 0 && len > 0)
			buf[len++] = '\n';
		for (line = buf; (end = memchr(line, '\n', len - (size_t)(line - buf)));
		     line = end + 1) {
			*end = '\0';
			if (!skip && strlen(line) == (size_t)(end - line) && take(arg, line))
				return 1;
			skip = false;
		}

		len -= (size_t)(line - buf);
		memmove(buf, line, len);
		if (len == LINE_MAX_BYTES) {
			skip = true;
			len = 0;
		}
	} while (n > 0 && total < LINES_MAX_BYTES);
	return 0;
}
