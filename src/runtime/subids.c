/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/subids.h"

#include "base/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* owner:start:count */
enum { FIELD_OWNER = 0, FIELD_START = 1, FIELD_COUNT = 2 };

struct wanted {
	const char *name;
	uint32_t uid;
	struct subid_list *list;
};

static bool is_owner(const struct wanted *wanted, const char *line)
{
	size_t len = strcspn(line, ":");
	uint32_t uid;

	if (wanted->name && strlen(wanted->name) == len && memcmp(line, wanted->name, len) == 0)
		return true;
	return line_number(line, &uid) && uid == wanted->uid;
}

static bool take_line(void *arg, const char *line)
{
	const struct wanted *wanted = arg;
	const char *start = line_field(line, FIELD_START), *count = line_field(line, FIELD_COUNT);
	struct subid range;

	if (!start || !count || !is_owner(wanted, line) || !line_number(start, &range.start) ||
	    !line_number(count, &range.count) || range.count == 0 ||
	    range.count - 1 > UINT32_MAX - range.start)
		return false;
	wanted->list->items[wanted->list->n++] = range;
	return wanted->list->n == SUBIDS_MAX;
}

int subids_read(struct arena *arena, const char *path, const char *name, uint32_t uid,
		struct subid_list *ret)
{
	struct subid_list list = { .items = arena_array(arena, SUBIDS_MAX, sizeof(*list.items)) };
	struct wanted wanted = { name, uid, &list };
	defer_close int fd = -EBADF;
	int r;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 && errno != ENOENT)
		return -errno;
	r = fd < 0 ? 0 : lines_each(fd, take_line, &wanted);
	if (r < 0)
		return r;
	*ret = list;
	return 0;
}
