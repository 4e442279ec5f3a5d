/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/passwd.h"

#include <stdbool.h>
#include <string.h>

/* name:password:uid:gid:gecos:directory:shell */
#define FIELD_UID  2
#define FIELD_HOME 5

/* The start of a field in a line, NULL if it has fewer. */
static const char *field(const char *line, int n)
{
	for (; n > 0; n--) {
		line = strchr(line, ':');
		if (!line)
			return NULL;
		line++;
	}
	return line;
}

static bool is_uid(const char *text, uint32_t uid)
{
	uint64_t value = 0;

	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > UINT32_MAX)
			return false;
	}
	return *text == ':' && value == uid;
}

static bool take_line(const char *line, uint32_t uid, char *ret_home, size_t size)
{
	const char *id = field(line, FIELD_UID), *home = field(line, FIELD_HOME);
	size_t len;

	if (!id || !home || !is_uid(id, uid))
		return false;
	len = strcspn(home, ":");
	if (len == 0 || home[0] != '/' || len >= size)
		return false;
	memcpy(ret_home, home, len);
	ret_home[len] = '\0';
	return true;
}

int passwd_home(int fd, uint32_t uid, char *ret_home, size_t size)
{
	char buf[PASSWD_MAX_LINE + 1], *line, *end;
	size_t len = 0, total = 0;
	bool skip = false;
	ssize_t n;

	do {
		n = read(fd, buf + len, PASSWD_MAX_LINE - len);
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
			if (!skip && strlen(line) == (size_t)(end - line) &&
			    take_line(line, uid, ret_home, size))
				return 1;
			skip = false;
		}

		len -= (size_t)(line - buf);
		memmove(buf, line, len);
		if (len == PASSWD_MAX_LINE) {
			skip = true;
			len = 0;
		}
	} while (n > 0 && total < PASSWD_MAX_BYTES);
	return 0;
}
