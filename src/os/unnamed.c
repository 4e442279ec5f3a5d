/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/unnamed.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* The directory that @path is in. */
static int parent_of(const char *path, char *buf, size_t size)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (slash == path)
		return (size_t)snprintf(buf, size, "/") < size ? 0 : -ENAMETOOLONG;
	return (size_t)snprintf(buf, size, "%.*s", slash ? (int)len : 1, slash ? path : ".") < size
		       ? 0
		       : -ENAMETOOLONG;
}

int os_unnamed_open(const char *path, mode_t mode)
{
	char parent[PATH_MAX];
	int r = parent_of(path, parent, sizeof(parent)), fd;

	if (r < 0)
		return r;
	fd = open(parent, O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
	/* open(2): EISDIR where the kernel knows no O_TMPFILE, and takes it for a directory to be written. */
	if (fd < 0)
		return errno == EISDIR ? -EOPNOTSUPP : -errno;
	return fd;
}

/* By its link in /proc, which anybody may follow; AT_EMPTY_PATH needs CAP_DAC_READ_SEARCH. */
int os_unnamed_name(int fd, const char *path)
{
	char link[32];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, link, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}
