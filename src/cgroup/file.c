/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/file.h"

#include "os/dir.h"
#include "os/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static int join(char path[PATH_MAX], const char *dir, const char *file)
{
	return snprintf(path, PATH_MAX, "%s/%s", dir, file) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int cgroup_file_open(const char *dir, const char *file, int flags)
{
	char path[PATH_MAX];
	int r = join(path, dir, file), fd;

	if (r < 0)
		return r;
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

ssize_t cgroup_file_read(const char *dir, const char *file, char *buf, size_t size)
{
	char path[PATH_MAX];
	int r = join(path, dir, file);

	return r < 0 ? r : os_read_at(AT_FDCWD, path, buf, size);
}

int cgroup_file_write(const char *dir, const char *file, const char *text)
{
	char path[PATH_MAX];
	int r = join(path, dir, file);

	return r < 0 ? r : os_file_write_at(AT_FDCWD, path, text, strlen(text));
}
