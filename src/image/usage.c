/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/usage.h"

#include "os/walk.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#define BLOCK_BYTES 512

struct count {
	struct usage *usage;
	dev_t device;
};

void usage_init(struct usage *usage, struct arena *arena)
{
	*usage = (struct usage){ .inodes.arena = arena };
}

static void add(struct usage *usage, const struct stat *st)
{
	char inode[48];

	if (!S_ISDIR(st->st_mode) && st->st_nlink > 1) {
		snprintf(inode, sizeof(inode), "%jx:%jx", (uintmax_t)st->st_dev,
			 (uintmax_t)st->st_ino);
		if (!string_map_add(&usage->inodes, inode, NULL))
			return;
	}
	usage->bytes += (uint64_t)st->st_blocks * BLOCK_BYTES;
}

/* What is mounted in it takes no room in it. */
static int count_node(void *arg, const struct walk_node *node)
{
	struct count *count = arg;

	if (S_ISDIR(node->st.st_mode) && node->st.st_dev != count->device)
		return 1;
	add(count->usage, &node->st);
	return 0;
}

int usage_add(struct usage *usage, int dir, const char *name)
{
	defer_close int fd = -EBADF;
	struct count count = { .usage = usage };
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(st.st_mode)) {
		add(usage, &st);
		return 0;
	}
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	count.device = st.st_dev;
	return os_walk(fd, count_node, &count);
}
