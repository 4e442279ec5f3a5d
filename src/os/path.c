/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/path.h"

#include "base/guard.h"
#include "os/fault.h"
#include "os/node.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>

#define LINKS_MAX 40 /* the kernel's own MAXSYMLINKS */

/*
 * The kernel answers EAGAIN when a rename or mount anywhere on the system happened while it walked
 * "..". A neighbour who renames in a loop must not be able to fail a start, nor to stall it for
 * ever.
 */
#define EAGAIN_TRIES 128

int os_open_in_root(int root, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = resolve | RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	OS_FAULT("openat2");
	if (!GUARD(in_root)) {
		how.resolve &= ~(uint64_t)RESOLVE_IN_ROOT;
		path += strspn(path, "/");
		path = *path ? path : ".";
	}
	for (int tries = 0; tries < EAGAIN_TRIES; tries++) {
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR)
			break;
	}
	return -errno;
}

/*
 * The path that is being made: text up to `done` exists and is open as `dir`; the rest starts
 * there.
 */
struct walk {
	char text[PATH_MAX];
	size_t done;
	int dir;
	int links;
};

/*
 * Length of the next component after @at, with its start in *ret_start; 0 at the end of the path.
 */
static size_t next_component(const char *text, size_t at, size_t *ret_start)
{
	while (text[at] == '/')
		at++;
	*ret_start = at;
	return strcspn(text + at, "/");
}

/*
 * Put the target of a dangling link in the place of the link's name. The walk starts again at the
 * root, since the target may be absolute or climb.
 */
static int splice_link(struct walk *walk, const char *name, size_t start, size_t len)
{
	char target[PATH_MAX];
	size_t tail_len, front;
	ssize_t n;

	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	n = readlinkat(walk->dir, name, target, sizeof(target) - 1);
	if (n < 0 && errno == EINVAL) { /* no link: somebody else made it in the meantime */
		walk->done = 0;
		return 0;
	}
	if (n < 0)
		return -errno;

	front = target[0] == '/' ? 0 : start;
	tail_len = strlen(walk->text + start + len);
	if (front + (size_t)n + tail_len >= sizeof(walk->text))
		return -ENAMETOOLONG;
	memmove(walk->text + front + n, walk->text + start + len, tail_len + 1);
	memcpy(walk->text + front, target, (size_t)n);
	walk->done = 0;
	return 0;
}

static int make_node(int dir, const char *name, mode_t type, mode_t mode)
{
	mode_t before = umask(0);
	int r = type == S_IFDIR ? os_mkdir(dir, name, mode)
				: os_mknod(dir, name, S_IFREG | mode, 0);

	umask(before);
	return r;
}

/*
 * Make one missing component in walk->dir and open it. Return: O_PATH fd; -EEXIST when something (a
 * link) is there after all; otherwise -errno
 */
static int make_component(const struct walk *walk, const char *name, mode_t type, mode_t mode)
{
	int r, fd;

	r = make_node(walk->dir, name, type, mode);
	if (r < 0)
		return r;

	/* Whoever puts a link in the place of what was just made gets ELOOP, not our trust. */
	fd = openat(walk->dir, name,
		    O_PATH | O_NOFOLLOW | O_CLOEXEC | (type == S_IFDIR ? O_DIRECTORY : 0));
	return fd < 0 ? -errno : fd;
}

/*
 * Go one component further: open it, or make it, or replace it by what it links to.
 * Return: O_PATH fd of the component; -EAGAIN when the walk starts again; otherwise -errno
 */
static int step_component(struct walk *walk, int root, size_t start, size_t len, mode_t type,
			  mode_t mode, os_made_fn *made, void *arg)
{
	char name[NAME_MAX + 1], end = walk->text[start + len];
	int fd, r;

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, walk->text + start, len);
	name[len] = '\0';

	walk->text[start + len] = '\0';
	fd = os_open_in_root(root, walk->text, O_PATH, 0);
	if (fd == -ENOENT) {
		fd = make_component(walk, name, type, mode);
		if (fd >= 0 && made)
			made(arg, walk->dir, walk->text + strspn(walk->text, "/"), name);
	}
	walk->text[start + len] = end;
	if (fd != -EEXIST)
		return fd;

	r = splice_link(walk, name, start, len);
	return r < 0 ? r : -EAGAIN;
}

int os_make_in_root(int root, const char *path, mode_t type, mode_t mode, os_made_fn *made,
		    void *arg)
{
	defer_close int dir = -EBADF;
	struct walk walk = { .dir = root };
	size_t start, len, next, rest;
	int fd;

	if (strlen(path) >= sizeof(walk.text))
		return -ENAMETOOLONG;
	strcpy(walk.text, path);

	for (;;) {
		len = next_component(walk.text, walk.done, &start);
		if (len == 0)
			return dir >= 0 ? take_fd(&dir) : os_open_in_root(root, "/", O_PATH, 0);

		rest = next_component(walk.text, start + len, &next);
		fd = step_component(&walk, root, start, len, rest ? S_IFDIR : type,
				    rest ? 0755 : mode, made, arg);
		if (fd == -EAGAIN) {
			defer_close_fn(&dir);
			dir = -EBADF;
			walk.dir = root;
			continue;
		}
		if (fd < 0)
			return fd;

		defer_close_fn(&dir);
		walk.dir = dir = fd;
		walk.done = start + len;
	}
}

void path_clean(const char *path, char *ret)
{
	size_t out = 0, at = 0, start, len;

	while ((len = next_component(path, at, &start)) > 0) {
		at = start + len;
		if (len == 1 && path[start] == '.')
			continue;
		if (len == 2 && path[start] == '.' && path[start + 1] == '.') {
			while (out > 0 && ret[--out] != '/')
				;
			continue;
		}
		ret[out++] = '/';
		memcpy(ret + out, path + start, len);
		out += len;
	}
	if (out == 0)
		ret[out++] = '/';
	ret[out] = '\0';
}

bool path_is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (strcmp(dir, "/") == 0)
		return true;
	return strncmp(path, dir, len) == 0 && (path[len] == '\0' || path[len] == '/');
}
