/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "os/walk.h"

#include "os/path.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/openat2.h>

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct name {
	struct name *next;
	char text[];
};

static int collect(DIR *listing, struct arena *arena, struct name **ret, size_t *ret_n)
{
	struct name *first = NULL;
	struct dirent *entry;
	size_t n = 0;

	while (errno = 0, (entry = readdir(listing))) {
		struct name *name;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		name = arena_alloc(arena, sizeof(*name) + strlen(entry->d_name) + 1);
		strcpy(name->text, entry->d_name);
		name->next = first;
		first = name;
		n++;
	}
	*ret = first;
	*ret_n = n;
	return -errno;
}

int os_list(int dir, struct arena *arena, char ***ret_names, size_t *ret_n)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;
	DIR *listing = fd < 0 ? NULL : fdopendir(fd);
	struct name *name;
	char **names;
	size_t n, i = 0;

	if (!listing) {
		r = -errno;
		defer_close_fn(&fd);
		return r;
	}
	r = collect(listing, arena, &name, &n);
	closedir(listing);
	if (r < 0)
		return r;
	names = arena_array(arena, n + 1, sizeof(*names));
	for (; name; name = name->next)
		names[i++] = name->text;
	qsort(names, n, sizeof(*names), compare);
	*ret_names = names;
	*ret_n = n;
	return 0;
}

/* A directory whose names are being walked through. */
struct level {
	struct level *above;
	struct arena names_arena;
	char **names;
	size_t n, at;
	size_t path_len; /* of its own path */
};

struct walk {
	int root;
	walk_fn *fn;
	void *arg;
	struct level *level;
	int dir; /* of the level */
	char path[PATH_MAX];
};

static int open_level(struct walk *w)
{
	int fd = os_open_in_root(w->root, w->path[0] ? w->path : "/",
				 O_RDONLY | O_DIRECTORY | O_NOFOLLOW, RESOLVE_NO_SYMLINKS);

	if (fd < 0)
		return fd;
	defer_close_fn(&w->dir);
	w->dir = fd;
	return 0;
}

/* Go down into the directory at w->path. */
static int push(struct walk *w)
{
	struct level *level;
	int r = open_level(w);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	level = calloc(1, sizeof(*level));
	if (!level)
		return -ENOMEM;
	level->above = w->level;
	level->path_len = strlen(w->path);
	w->level = level;
	return os_list(w->dir, &level->names_arena, &level->names, &level->n);
}

static void pop(struct walk *w)
{
	struct level *level = w->level;

	w->level = level->above;
	arena_clear(&level->names_arena);
	free(level);
}

static int visit(struct walk *w, int parent, const char *name)
{
	struct walk_node node = { .path = w->path, .parent = parent, .name = name };
	int r;

	if (fstatat(parent, name, &node.st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	r = w->fn(w->arg, &node);
	if (r < 0)
		return r;
	return r == 0 && S_ISDIR(node.st.st_mode) ? push(w) : 0;
}

static int next(struct walk *w)
{
	struct level *level = w->level;
	const char *name = level->names[level->at++];
	size_t len = level->path_len, slash = len ? 1 : 0;

	if (len + slash + strlen(name) + 1 > sizeof(w->path))
		return -ENAMETOOLONG;
	if (slash)
		w->path[len] = '/';
	strcpy(w->path + len + slash, name);
	return visit(w, w->dir, name);
}

static int walk_levels(struct walk *w)
{
	int r = 0;

	while (r == 0 && w->level) {
		if (w->level->at < w->level->n) {
			r = next(w);
			continue;
		}
		pop(w);
		if (w->level) {
			w->path[w->level->path_len] = '\0';
			r = open_level(w);
			if (r == -ENOENT) {
				w->level->at = w->level->n;
				r = 0;
			}
		}
	}
	return r;
}

int os_walk(int root, walk_fn *fn, void *arg)
{
	struct walk w = { .root = root, .fn = fn, .arg = arg, .dir = -EBADF };
	int r = visit(&w, root, ".");

	if (r == 0)
		r = walk_levels(&w);
	while (w.level)
		pop(&w);
	defer_close_fn(&w.dir);
	return r;
}
