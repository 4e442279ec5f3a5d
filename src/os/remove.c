/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/remove.h"

#include "os/fault.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What is moved up needs a name that nothing there has. */
#define MOVED_NAME "tare-remove-%" PRIu64

/* Whose listings are open at a time: most trees are not deeper, and then nothing has to be moved. */
#define LEVELS 8
/* Of a listing; it is on the stack as often as there are levels. */
#define LISTED_BYTES 4096

struct removal {
	int top;         /* the directory that goes */
	uint64_t number; /* of the next name */
};

/*
 * @is_directory: surely; otherwise the kernel is asked
 * Return: 0; 1 if it is a directory with something in it; -errno
 */
static int remove_one(int dir, const char *name, bool is_directory)
{
	if (!is_directory && unlinkat(dir, name, 0) == 0)
		return 0;
	if (!is_directory && errno != EISDIR)
		return -errno;
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
		return 0;
	return errno == ENOTEMPTY || errno == EEXIST ? 1 : -errno;
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int move_up(struct removal *r, int dir, const char *name)
{
	char moved[48];

	for (;;) {
		snprintf(moved, sizeof(moved), MOVED_NAME, r->number++);
		if (renameat2(dir, name, r->top, moved, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			return -errno;
	}
}

static int remove_full(struct removal *r, int dir, const char *name, unsigned level);

static int remove_entry(struct removal *r, int dir, const struct dirent64 *entry, unsigned level)
{
	int one = remove_one(dir, entry->d_name, entry->d_type == DT_DIR);

	if (one <= 0)
		return one;
	return level < LEVELS ? remove_full(r, dir, entry->d_name, level + 1)
			      : move_up(r, dir, entry->d_name);
}

/* Some of what is in a directory. Return: 1; 0 at the end of its listing; -errno */
static int remove_some(struct removal *r, int dir, unsigned level, bool *gone)
{
	_Alignas(struct dirent64) char listed[LISTED_BYTES];
	ssize_t n = getdents64(dir, listed, sizeof(listed));

	if (n <= 0)
		return n < 0 ? -errno : 0;
	for (ssize_t at = 0; at < n;) {
		const struct dirent64 *entry = (const void *)(listed + at);
		int one;

		at += entry->d_reclen;
		if (is_dots(entry->d_name))
			continue;
		one = remove_entry(r, dir, entry, level);
		if (one < 0)
			return one;
		*gone = true;
	}
	return 1;
}

/*
 * What was moved into it may or may not be in a directory's listing, and some filesystems skip entries while others go: it is empty
 * when the kernel says so, and until then it is listed again, as long as something goes.
 */
static int remove_opened(struct removal *r, int parent, const char *name, int dir, unsigned level)
{
	bool gone = false;

	for (;;) {
		int more = remove_some(r, dir, level, &gone);

		if (more < 0)
			return more;
		if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
			return 0;
		if ((errno != ENOTEMPTY && errno != EEXIST) || (!more && !gone))
			return -errno;
		if (more)
			continue;
		if (lseek(dir, 0, SEEK_SET) < 0)
			return -errno;
		gone = false;
	}
}

/* A directory with something in it; the first is the top. */
static int remove_full(struct removal *r, int parent, const char *name, unsigned level)
{
	int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), one;

	if (dir < 0)
		return -errno;
	if (level == 0)
		r->top = dir;
	one = remove_opened(r, parent, name, dir, level);
	close(dir);
	return one;
}

int os_remove_tree(int dir, const char *name)
{
	struct removal r = { .top = -EBADF };
	int one;

	OS_FAULT("unlinkat");
	one = remove_one(dir, name, false);
	return one > 0 ? remove_full(&r, dir, name, 0) : one;
}
