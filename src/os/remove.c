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

struct removal {
	int top;         /* the directory that goes */
	uint64_t number; /* of the next name */
	bool moved;      /* something was moved up since the last look */
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

static DIR *list(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), saved;
	DIR *listing = fd < 0 ? NULL : fdopendir(fd);

	if (!listing && fd >= 0) {
		saved = errno;
		close(fd);
		errno = saved;
	}
	return listing;
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int move_up(struct removal *r, int dir, const char *name)
{
	char moved[48];

	r->moved = true;
	for (;;) {
		snprintf(moved, sizeof(moved), MOVED_NAME, r->number++);
		if (renameat2(dir, name, r->top, moved, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			return -errno;
	}
}

/*
 * Empty the top ("."), or empty and remove one of its directories. What is full in the top is emptied in its turn, what is
 * full in a directory below it moves up: two listings are open at most.
 */
static int empty(struct removal *r, const char *name)
{
	bool is_top = is_dots(name);
	DIR *listing = list(r->top, name);
	struct dirent *entry;
	int one = 0;

	if (!listing)
		return -errno;
	while (one == 0 && (entry = readdir(listing))) {
		if (is_dots(entry->d_name))
			continue;
		one = remove_one(dirfd(listing), entry->d_name, entry->d_type == DT_DIR);
		if (one > 0)
			one = is_top ? empty(r, entry->d_name)
				     : move_up(r, dirfd(listing), entry->d_name);
	}
	closedir(listing);
	if (one == 0 && !is_top && unlinkat(r->top, name, AT_REMOVEDIR) < 0)
		one = -errno;
	return one;
}

int os_remove_tree(int dir, const char *name)
{
	struct removal r = { .top = -EBADF };
	int one;

	OS_FAULT("unlinkat");
	one = remove_one(dir, name, false);
	if (one <= 0)
		return one;
	r.top = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (r.top < 0)
		return -errno;
	/* What was moved up may or may not have been in the listing: look until nothing moves. */
	do {
		r.moved = false;
		one = empty(&r, ".");
	} while (one == 0 && r.moved);
	defer_close_fn(&r.top);
	if (one == 0 && unlinkat(dir, name, AT_REMOVEDIR) < 0)
		one = -errno;
	return one;
}
