/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/file.h"

#include "os/fault.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int os_file_read(struct arena *arena, int fd, size_t limit, char **ret_text, size_t *ret_len)
{
	size_t size = 16 * 1024, len = 0;
	char *text, *grown;
	ssize_t n;

	OS_FAULT("read");
	/* No fstat() first: files of procfs have no size, and for others it would cost the call that it saves. */
	text = arena_alloc(arena, size);
	for (;;) {
		n = read(fd, text + len, size - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > limit)
			return -EFBIG;
		if (size - len > 1)
			continue;
		grown = arena_alloc(arena, size * 2);
		memcpy(grown, text, len);
		text = grown;
		size *= 2;
	}
	text[len] = '\0';
	*ret_text = text;
	*ret_len = len;
	return 0;
}

int os_write_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;
	ssize_t n;

	while (len) {
		n = write(fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int os_file_open_write_at(int dir, const char *path)
{
	int fd;

	OS_FAULT("open");
	fd = openat(dir, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

int os_file_write(int fd, const char *text, size_t len)
{
	ssize_t n;

	OS_FAULT("write");
	do {
		n = write(fd, text, len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int os_file_write_at(int dir, const char *path, const char *text, size_t len)
{
	defer_close int fd = os_file_open_write_at(dir, path);

	return fd < 0 ? fd : os_file_write(fd, text, len);
}

int os_file_make_at(int dir, const char *name, const void *bytes, size_t len, mode_t mode)
{
	defer_close int fd = -EBADF;

	OS_FAULT("open");
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	return os_write_all(fd, bytes, len);
}

int os_fsync(int fd)
{
	OS_FAULT("fsync");
	return fsync(fd) < 0 ? -errno : 0;
}

static int make_durable(int dir, const char *name, const void *bytes, size_t len, mode_t mode)
{
	defer_close int fd = -EBADF;
	int r = os_file_make_at(dir, name, bytes, len, mode);

	if (r < 0)
		return r;
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : os_fsync(fd);
}

typedef int make_fn(int dir, const char *name, const void *bytes, size_t len, mode_t mode);

static int replace(int dir, const char *name, const char *temporary, const void *bytes, size_t len,
		   mode_t mode, make_fn *make)
{
	int r = make(dir, temporary, bytes, len, mode);

	if (r == -EEXIST) {
		/* Left by one that was killed. */
		unlinkat(dir, temporary, 0);
		r = make(dir, temporary, bytes, len, mode);
	}
	if (r == 0 && renameat(dir, temporary, dir, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dir, temporary, 0);
	return r;
}

int os_file_replace_at(int dir, const char *name, const char *temporary, const void *bytes,
		       size_t len, mode_t mode)
{
	return replace(dir, name, temporary, bytes, len, mode, os_file_make_at);
}

int os_file_replace_durable_at(int dir, const char *name, const char *temporary, const void *bytes,
			       size_t len, mode_t mode)
{
	int r = replace(dir, name, temporary, bytes, len, mode, make_durable);

	return r < 0 ? r : os_fsync(dir);
}

int os_fd_path(int fd, char *buf, size_t size)
{
	char link[40];
	ssize_t n;

	OS_FAULT("readlink");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, buf, size);
	if (n < 0)
		return -errno;
	if ((size_t)n >= size)
		return -ENAMETOOLONG;
	buf[n] = '\0';
	return 0;
}
