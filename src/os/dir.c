/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/dir.h"

#include "os/fault.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

int os_dir_make(const char *path, mode_t mode)
{
	OS_FAULT("mkdir");
	return mkdir(path, mode) < 0 ? -errno : 0;
}

int os_dir_make_path(const char *path, mode_t parents_mode, mode_t mode)
{
	char parent[PATH_MAX];

	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return -errno;
	if (strlen(path) >= sizeof(parent))
		return -ENAMETOOLONG;

	strcpy(parent, path);
	for (char *at = parent + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdir(parent, parents_mode) < 0 && errno != EEXIST)
			return -errno;
		*at = '/';
	}
	return mkdir(path, mode) < 0 && errno != EEXIST ? -errno : 0;
}

int os_dir_remove(const char *path)
{
	OS_FAULT("rmdir");
	return rmdir(path) < 0 ? -errno : 0;
}

int os_dir_open(const char *path)
{
	int fd;

	OS_FAULT("open");
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int os_exists_at(int dir, const char *path)
{
	OS_FAULT("faccessat");
	if (faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

ssize_t os_read_at(int dir, const char *path, char *buf, size_t size)
{
	defer_close int fd = -EBADF;
	size_t len = 0;
	ssize_t n;

	OS_FAULT("read");
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;

	/* A cgroup file gives all it has in one read, and only a full buffer needs another look. */
	do {
		n = read(fd, buf, size - 1);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;

	for (len = (size_t)n; len && buf[len - 1] == '\n'; len--)
		;
	buf[len] = '\0';
	return (ssize_t)len;
}

int os_chown_at(int dir, const char *path, uid_t uid, gid_t gid)
{
	OS_FAULT("fchownat");
	return fchownat(dir, path, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

bool os_is_still_at(int dir, const char *name, int fd)
{
	struct stat named, ours;

	return fstat(fd, &ours) == 0 && fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       named.st_ino == ours.st_ino && named.st_dev == ours.st_dev;
}

int os_dir_claim(int fd)
{
	OS_FAULT("flock");
	return flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}
