/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/passwd.h"

#include "base/lines.h"

#include <stdbool.h>
#include <string.h>

/* name:password:uid:gid:gecos:directory:shell */
enum { FIELD_NAME = 0, FIELD_UID = 2, FIELD_HOME = 5 };

struct wanted {
	uint32_t uid;
	int field;
	char *ret;
	size_t size;
};

static bool take_line(void *arg, const char *line)
{
	const struct wanted *wanted = arg;
	const char *id = line_field(line, FIELD_UID), *value = line_field(line, wanted->field);
	uint32_t uid;
	size_t len;

	if (!id || !value || !line_number(id, &uid) || uid != wanted->uid)
		return false;
	len = strcspn(value, ":");
	if (len == 0 || len >= wanted->size || (wanted->field == FIELD_HOME && value[0] != '/'))
		return false;
	memcpy(wanted->ret, value, len);
	wanted->ret[len] = '\0';
	return true;
}

int passwd_home(int fd, uint32_t uid, char *ret_home, size_t size)
{
	return lines_each(fd, take_line, &(struct wanted){ uid, FIELD_HOME, ret_home, size });
}

int passwd_name(int fd, uint32_t uid, char *ret_name, size_t size)
{
	return lines_each(fd, take_line, &(struct wanted){ uid, FIELD_NAME, ret_name, size });
}
