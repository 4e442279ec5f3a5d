/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The upper directory is walked, and each node looked up below it: what it costs hangs on what was written, not on the image. */
#include "image/diff.h"

#include "image/xattr.h"
#include "os/path.h"
#include "os/walk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* ---- the list --------------------------------------------------------------------------------------------------- */

static void add(struct diff *diff, enum compare_change change, const char *path)
{
	diff->items = arena_grow(diff->arena, diff->items, diff->n, sizeof(*diff->items));
	diff->items[diff->n++] = (struct diff_entry){ change, arena_strdup(diff->arena, path) };
}

/* A slash goes before everything, so what is in a directory comes right after it. */
static int compare_paths(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	if (*a == *b)
		return 0;
	if (*a == '/' || *b == '/')
		return *a == '/' ? (*b ? -1 : 1) : (*a ? 1 : -1);
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

static int by_path(const void *a, const void *b)
{
	return compare_paths(((const struct diff_entry *)a)->path,
			     ((const struct diff_entry *)b)->path);
}

/* Is the first @len bytes of @path the directory that @other is, or is in */
static bool is_told(const char *path, size_t len, const char *other)
{
	return other && !strncmp(path, other, len) && (!other[len] || other[len] == '/');
}

/* Sort, and put in what has changed only because of what is in it. */
static void complete(struct diff *diff)
{
	struct diff all = { .arena = diff->arena };
	const char *last = NULL;

	if (diff->n)
		qsort(diff->items, diff->n, sizeof(*diff->items), by_path);
	for (size_t i = 0; i < diff->n; i++) {
		const char *path = diff->items[i].path;

		for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
			size_t len = (size_t)(slash - path);

			if (!is_told(path, len, last))
				add(&all, COMPARE_CHANGED, arena_strndup(diff->arena, path, len));
		}
		add(&all, diff->items[i].change, path);
		last = path;
	}
	*diff = all;
}

bool diff_has(const struct diff *diff, const char *path)
{
	const struct diff_entry key = { .path = path };

	return diff->n && bsearch(&key, diff->items, diff->n, sizeof(key), by_path);
}

/* ---- mount points ----------------------------------------------------------------------------------------------- */

struct upper {
	struct beside lower;
	const struct str_list *mounts;
	struct diff *diff;
	struct err *err;
};

/* Is @path where something is mounted (1), or a directory above such a place (2) */
static int is_mount_point(const struct upper *u, const char *path)
{
	size_t len = strlen(path);
	int found = 0;

	for (size_t i = 0; i < u->mounts->n; i++) {
		const char *mount = u->mounts->items[i] + 1;

		if (strncmp(mount, path, len) != 0)
			continue;
		if (!mount[len])
			return 1;
		if (mount[len] == '/')
			found = 2;
	}
	return found;
}

/* Was it made only to mount something on it: empty, or a directory with nothing in it but such ones */
static bool is_bare(const struct upper *u, int parent, const char *name, const char *path,
		    const struct stat *st)
{
	defer_arena struct arena arena = { 0 };
	defer_close int dir = -EBADF;
	char **names;
	size_t n;
	int kind = is_mount_point(u, path);

	if (!kind)
		return false;
	if (!S_ISDIR(st->st_mode))
		return kind == 1 && S_ISREG(st->st_mode) && st->st_size == 0;
	dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || os_list(dir, &arena, &names, &n) < 0)
		return false;
	if (kind == 2 && n == 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct stat in;

		if (fstatat(dir, names[i], &in, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !is_bare(u, dir, names[i], arena_printf(&arena, "%s/%s", path, names[i]), &in))
			return false;
	}
	return true;
}

/* ---- an upper directory ----------------------------------------------------------------------------------------- */

/* What is below the node. Return: 1 and *ret; 0 if there is nothing; -errno */
static int find_lower(struct upper *u, const struct walk_node *node, struct compared *ret)
{
	int dir = u->lower.root < 0 ? -ENOENT : beside_parent(&u->lower, node);

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	*ret = (struct compared){ .dir = dir, .name = node->name };
	if (fstatat(dir, node->name, &ret->st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	/* Of a lowest layer that hides something: what could be below it? */
	return !compare_is_whiteout(&ret->st);
}

/* Everything in the lower directory is gone but for what the upper one has. */
static int tell_hidden(struct upper *u, const struct walk_node *node, const struct compared *old)
{
	defer_arena struct arena arena = { 0 };
	defer_close int lower =
		openat(old->dir, old->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	defer_close int upper =
		openat(node->parent, node->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char **names;
	size_t n;
	int r;

	if (lower < 0 || upper < 0)
		return -errno;
	r = os_list(lower, &arena, &names, &n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct stat st;

		if (fstatat(upper, names[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		if (errno != ENOENT)
			return -errno;
		add(u->diff, COMPARE_DELETED,
		    arena_printf(&arena, "%s%s%s", node->path, *node->path ? "/" : "", names[i]));
	}
	return r;
}

static int compare_with_lower(struct upper *u, const struct walk_node *node,
			      const struct compared *old)
{
	const struct compared new = { node->parent, node->name, node->st };
	int differs = compare_nodes(old, &new), opaque;

	if (differs < 0)
		return differs;
	/* A file that has only one name left is the same file. */
	if (node->st.st_nlink < 2)
		differs &= ~DIFFERS_LINKS;
	if (differs)
		add(u->diff, COMPARE_CHANGED, node->path);
	if (differs & DIFFERS_TYPE || !S_ISDIR(node->st.st_mode))
		return 0;
	opaque = xattr_is_opaque(node->parent, node->name);
	return opaque > 0 ? tell_hidden(u, node, old) : opaque;
}

static int walk_upper(void *arg, const struct walk_node *node)
{
	struct upper *u = arg;
	struct compared old;
	const char *elsewhere;
	int r = find_lower(u, node, &old);

	if (r < 0)
		return r;
	if (compare_is_whiteout(&node->st)) {
		if (r)
			add(u->diff, COMPARE_DELETED, node->path);
		return 0;
	}
	elsewhere = xattr_elsewhere(node->parent, node->name);
	if (elsewhere)
		return err_user(u->err,
				"\"/%s\" has overlayfs's attribute \"%s\", so a part of it is in "
				"another layer",
				node->path, elsewhere);
	if (r)
		return compare_with_lower(u, node, &old);
	if (is_bare(u, node->parent, node->name, node->path, &node->st))
		return 1;
	if (*node->path)
		add(u->diff, COMPARE_ADDED, node->path);
	return 0;
}

int diff_upper(int upper, int lower, const struct str_list *mounts, struct diff *ret,
	       struct err *err)
{
	struct upper u = { .mounts = mounts, .diff = ret, .err = err };
	int r;

	beside_init(&u.lower, lower);
	r = os_walk(upper, walk_upper, &u);
	beside_clear(&u.lower);
	if (r < 0)
		return err->code ? r : err_set(err, r, "compare two directories");
	complete(ret);
	return 0;
}

/* ---- two whole ones --------------------------------------------------------------------------------------------- */

static int tell_change(void *arg, enum compare_change change, const char *path, int differs)
{
	/* How many names a file has shows in the others. */
	if (change != COMPARE_CHANGED || differs & ~DIFFERS_LINKS)
		add(arg, change, path);
	return 0;
}

int diff_trees(int before, int after, struct diff *ret, struct err *err)
{
	int r = compare_trees(before, after, tell_change, ret, err);

	if (r == 0)
		complete(ret);
	return r;
}
