/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/compare.h"

#include "base/arena.h"
#include "image/xattr.h"
#include "os/path.h"
#include "os/walk.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include <linux/openat2.h>

#define CHUNK_BYTES ((size_t)64 * 1024)

/* ---- two nodes -------------------------------------------------------------------------------------------------- */

static int open_file(const struct compared *node)
{
	int fd = openat(node->dir, node->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Fills the buffer unless the file ends. */
static ssize_t read_chunk(int fd, char *buf)
{
	size_t len = 0;

	while (len < CHUNK_BYTES) {
		ssize_t n = read(fd, buf + len, CHUNK_BYTES - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static int compare_content(const struct compared *a, const struct compared *b)
{
	static char of_a[CHUNK_BYTES], of_b[CHUNK_BYTES];
	defer_close int fd_a = open_file(a), fd_b = open_file(b);
	ssize_t n, m;

	if (fd_a < 0 || fd_b < 0)
		return fd_a < 0 ? fd_a : fd_b;
	do {
		n = read_chunk(fd_a, of_a);
		m = read_chunk(fd_b, of_b);
		if (n < 0 || m < 0)
			return (int)(n < 0 ? n : m);
		if (n != m || memcmp(of_a, of_b, (size_t)n) != 0)
			return DIFFERS_CONTENT;
	} while (n > 0);
	return 0;
}

static int compare_links(const struct compared *a, const struct compared *b)
{
	char of_a[PATH_MAX], of_b[PATH_MAX];
	ssize_t n = readlinkat(a->dir, a->name, of_a, sizeof(of_a));
	ssize_t m = n < 0 ? -1 : readlinkat(b->dir, b->name, of_b, sizeof(of_b));

	if (m < 0)
		return -errno;
	return n == m && !memcmp(of_a, of_b, (size_t)n) ? 0 : DIFFERS_CONTENT;
}

static int compare_attributes(const struct compared *a, const struct compared *b)
{
	defer_arena struct arena arena = { 0 };
	struct xattr_list of_a, of_b;
	int r = xattr_list(a->dir, a->name, &arena, &of_a);

	if (r == 0)
		r = xattr_list(b->dir, b->name, &arena, &of_b);
	if (r < 0)
		return r;
	if (of_a.n != of_b.n)
		return DIFFERS_ATTRIBUTES;
	if (S_ISDIR(a->st.st_mode)) {
		int opaque_a = xattr_is_opaque(a->dir, a->name);
		int opaque_b = opaque_a < 0 ? opaque_a : xattr_is_opaque(b->dir, b->name);

		if (opaque_b < 0 || opaque_a != opaque_b)
			return opaque_b < 0 ? opaque_b : DIFFERS_ATTRIBUTES;
	}
	for (size_t i = 0; i < of_a.n; i++) {
		const struct xattr *x = &of_a.items[i], *y = &of_b.items[i];

		if (strcmp(x->name, y->name) != 0 || x->len != y->len ||
		    memcmp(x->value, y->value, x->len) != 0)
			return DIFFERS_ATTRIBUTES;
	}
	return 0;
}

static bool is_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);
}

static int compare_stats(const struct stat *a, const struct stat *b)
{
	int differs = 0;

	if (!S_ISLNK(a->st_mode) && a->st_mode != b->st_mode)
		differs |= DIFFERS_MODE;
	if (a->st_uid != b->st_uid || a->st_gid != b->st_gid)
		differs |= DIFFERS_OWNER;
	if (is_device(a) && a->st_rdev != b->st_rdev)
		differs |= DIFFERS_DEVICE;
	if (S_ISREG(a->st_mode) && a->st_size != b->st_size)
		differs |= DIFFERS_SIZE;
	/* A directory's time says when something was last made in it; if the tar doesn't name it, when it was unpacked. */
	if (S_ISDIR(a->st_mode))
		return differs;
	if (a->st_mtim.tv_sec != b->st_mtim.tv_sec || a->st_mtim.tv_nsec != b->st_mtim.tv_nsec)
		differs |= DIFFERS_TIME;
	if (a->st_nlink != b->st_nlink)
		differs |= DIFFERS_LINKS;
	return differs;
}

int compare_nodes(const struct compared *a, const struct compared *b)
{
	int differs, r = 0;

	/* They say one thing; when and by whom they were made nobody has written down. */
	if (compare_is_whiteout(&a->st) && compare_is_whiteout(&b->st))
		return 0;

	if ((a->st.st_mode & S_IFMT) != (b->st.st_mode & S_IFMT))
		return DIFFERS_TYPE;
	differs = compare_stats(&a->st, &b->st);
	if (S_ISREG(a->st.st_mode) && !(differs & DIFFERS_SIZE))
		r = compare_content(a, b);
	else if (S_ISLNK(a->st.st_mode))
		r = compare_links(a, b);
	if (r < 0)
		return r;
	differs |= r;
	r = compare_attributes(a, b);
	return r < 0 ? r : differs | r;
}

/* ---- two trees -------------------------------------------------------------------------------------------------- */

void beside_init(struct beside *beside, int root)
{
	beside->root = root;
	beside->parent = -EBADF;
	beside->path[0] = '\0';
}

void beside_clear(struct beside *beside)
{
	defer_close_fn(&beside->parent);
	beside->parent = -EBADF;
}

int beside_parent(struct beside *b, const struct walk_node *node)
{
	const char *slash = strrchr(node->path, '/');
	size_t len = slash ? (size_t)(slash - node->path) : 0;

	if (b->parent != -EBADF && strlen(b->path) == len && !memcmp(b->path, node->path, len))
		return b->parent;
	defer_close_fn(&b->parent);
	memcpy(b->path, node->path, len);
	b->path[len] = '\0';
	b->parent = os_open_in_root(b->root, len ? b->path : "/", O_RDONLY | O_DIRECTORY,
				    RESOLVE_NO_SYMLINKS);
	if (b->parent == -ENOTDIR || b->parent == -ELOOP)
		b->parent = -ENOENT;
	return b->parent;
}

struct comparison {
	struct beside other; /* the tree that is not walked */
	bool deleted;        /* the one that is walked is the older: look only for what is gone */
	compare_fn *fn;
	void *arg;
};

static int compare_walked(void *arg, const struct walk_node *node)
{
	struct comparison *c = arg;
	struct compared new = { node->parent, node->name, node->st };
	struct compared old = { .dir = beside_parent(&c->other, node), .name = node->name };
	int differs;

	if (old.dir < 0 && old.dir != -ENOENT)
		return old.dir;
	if (old.dir < 0 || fstatat(old.dir, old.name, &old.st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (old.dir >= 0 && errno != ENOENT)
			return -errno;
		differs =
			c->fn(c->arg, c->deleted ? COMPARE_DELETED : COMPARE_ADDED, node->path, 0);
		return differs < 0 ? differs : c->deleted;
	}
	if (c->deleted)
		return 0;
	differs = compare_nodes(&old, &new);
	return differs > 0 ? c->fn(c->arg, COMPARE_CHANGED, node->path, differs) : differs;
}

static int walk_one(int walked, int other, bool deleted, compare_fn *fn, void *arg)
{
	struct comparison c = { .deleted = deleted, .fn = fn, .arg = arg };
	int r;

	beside_init(&c.other, other);
	r = os_walk(walked, compare_walked, &c);
	beside_clear(&c.other);
	return r;
}

int compare_trees(int before, int after, compare_fn *fn, void *arg, struct err *err)
{
	int r = walk_one(after, before, false, fn, arg);

	if (r == 0)
		r = walk_one(before, after, true, fn, arg);
	return r < 0 ? err_set(err, r, "compare two directories") : 0;
}
