/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two files say it all: /proc/self/cgroup has one line for each hierarchy, "ID:controllers:own path", with no controllers
 * for v2; mountinfo says where each is mounted. A v1 line belongs to the mount whose options name its first controller.
 */
#include "cgroup/layout.h"

#include "os/dir.h"
#include "os/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A dozen lines; only a runtime that itself stands very deep has more than a page or two. */
#define OWN_CGROUP_USUAL (8 * 1024)
#define OWN_CGROUP_MAX   ((size_t)1024 * 1024)

const char *const cgroup_mode_names[] = { "none", "v1", "hybrid", "v2" };

/* One cgroup mount: pieces of a mountinfo line, cut up in place. */
struct cgroup_mount {
	bool v2;
	char *root, *point, *options;
};

static int read_all(struct arena *arena, const char *root, const char *path, size_t limit,
		    char **ret_text, struct err *err)
{
	const char *full = arena_printf(arena, "%s%s", root, path);
	defer_close int fd = open(full, O_RDONLY | O_CLOEXEC);
	size_t len;
	int r;

	r = fd < 0 ? -errno : os_file_read(arena, fd, limit, ret_text, &len);
	if (r < 0)
		return err_set(err, r, "read \"%s\"", full);
	return 0;
}

/* The kernel gives this file in one piece, so one read is enough unless the piece is too large. */
static int read_own(struct arena *arena, const char *root, const char *process, char **ret_text,
		    struct err *err)
{
	const char *file = arena_printf(arena, "/proc/%s/cgroup", process);
	const char *path = arena_printf(arena, "%s%s", root, file);
	char *text = arena_alloc(arena, OWN_CGROUP_USUAL);
	ssize_t n = os_read_at(AT_FDCWD, path, text, OWN_CGROUP_USUAL);

	if (n >= OWN_CGROUP_USUAL - 1)
		return read_all(arena, root, file, OWN_CGROUP_MAX, ret_text, err);
	if (n < 0)
		return err_set(err, (int)n, "read \"%s\"", path);
	*ret_text = text;
	return 0;
}

/* Take the next word off *text; NULL when there is none. */
static char *next_word(char **text)
{
	return *text ? strsep(text, " ") : NULL;
}

static int octal_digit(char c)
{
	return c >= '0' && c <= '7' ? c - '0' : -1;
}

void mountinfo_unescape(char *path)
{
	char *out = path;

	for (; *path; path++) {
		if (path[0] == '\\' && octal_digit(path[1]) >= 0 && octal_digit(path[2]) >= 0 &&
		    octal_digit(path[3]) >= 0) {
			*out++ = (char)(octal_digit(path[1]) * 64 + octal_digit(path[2]) * 8 +
					octal_digit(path[3]));
			path += 3;
		} else {
			*out++ = *path;
		}
	}
	*out = '\0';
}

/* Spec: proc_pid_mountinfo(5). Return: is this line a cgroup mount? */
static bool parse_mount(char *line, struct cgroup_mount *ret)
{
	char *type = strstr(line, " - cgroup"), *head;

	if (!type)
		return false;
	*type = '\0';
	type += strlen(" - ");
	head = line;

	for (int i = 0; i < 3; i++)
		next_word(&head);
	ret->root = next_word(&head);
	ret->point = next_word(&head);
	if (!ret->point)
		return false;
	mountinfo_unescape(ret->root);
	mountinfo_unescape(ret->point);

	ret->v2 = strncmp(type, "cgroup2 ", 8) == 0;
	if (!ret->v2 && strncmp(type, "cgroup ", 7) != 0)
		return false;
	next_word(&type);
	next_word(&type);
	ret->options = type;
	return type != NULL;
}

/* list_has() - is the word of @len bytes one of @list, which is separated by @separator? */
static bool list_has(const char *list, char separator, const char *word, size_t len)
{
	const char *at = list;

	while (at && *at) {
		size_t item = strcspn(at, (char[]){ separator, '\0' });

		if (item == len && memcmp(at, word, len) == 0)
			return true;
		at = at[item] ? at + item + 1 : NULL;
	}
	return false;
}

static bool starts_with_path(const char *path, const char *prefix, const char **ret_rest)
{
	size_t len = strlen(prefix);

	if (strcmp(prefix, "/") == 0) {
		*ret_rest = path;
		return true;
	}
	if (strncmp(path, prefix, len) != 0 || (path[len] != '/' && path[len] != '\0'))
		return false;
	*ret_rest = path[len] ? path + len : "/";
	return true;
}

/*
 * A hierarchy can be mounted many times: bound into containers, or anew over an older mount of /sys/fs/cgroup. The
 * place where everybody expects it wins, and there the last one, which hides the others.
 */
static const struct cgroup_mount *choose_mount(const struct cgroup_mount *mounts, size_t n,
					       const char *controllers)
{
	const struct cgroup_mount *best = NULL;
	size_t first = strcspn(controllers, ",");
	bool v2 = *controllers == '\0';
	const char *rest;

	for (size_t i = 0; i < n; i++) {
		if (mounts[i].v2 != v2 ||
		    (!v2 && !list_has(mounts[i].options, ',', controllers, first)))
			continue;
		if (!best || starts_with_path(mounts[i].point, "/sys/fs/cgroup", &rest))
			best = &mounts[i];
	}
	return best;
}

static size_t parse_mounts(struct arena *arena, char *text, struct cgroup_mount **ret)
{
	size_t n = 0;
	struct cgroup_mount *mounts = NULL;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		struct cgroup_mount mount;

		if (!parse_mount(line, &mount))
			continue;
		mounts = arena_grow(arena, mounts, n, sizeof(*mounts));
		mounts[n++] = mount;
	}
	*ret = mounts;
	return n;
}

/* What the v2 hierarchy offers at @base below its mount; in a container that is what was delegated to it. */
static int read_controllers(struct arena *arena, const char *root, const char *base,
			    struct cgroup_hierarchy *v2, struct err *err)
{
	const char *path = arena_printf(arena, "%s%s%s/cgroup.controllers", root, v2->mount, base);
	char text[512];
	ssize_t n;

	n = os_read_at(AT_FDCWD, path, text, sizeof(text));
	if (n < 0)
		return err_set(err, (int)n, "read \"%s\"", path);
	v2->controllers = arena_strndup(arena, text, (size_t)n);
	return 0;
}

/* One line of /proc/self/cgroup; hierarchies that are not mounted are left out. */
static void add_hierarchy(struct cgroup_layout *layout, const struct cgroup_mount *mounts, size_t n,
			  char *line)
{
	struct cgroup_hierarchy *hierarchy = &layout->items[layout->n];
	const struct cgroup_mount *mount;
	char *controllers;

	if (!strsep(&line, ":") || !(controllers = strsep(&line, ":")) || !line)
		return;
	mount = choose_mount(mounts, n, controllers);
	if (!mount)
		return;

	hierarchy->v2 = mount->v2;
	hierarchy->mount = mount->point;
	hierarchy->root = mount->root;
	hierarchy->controllers = controllers;
	/* A cgroup above the mount's root ("/.."), or beside it, can't be named below the mount. */
	if (line[0] != '/' || strncmp(line, "/..", 3) == 0 ||
	    !starts_with_path(line, mount->root, &hierarchy->own_path))
		hierarchy->own_path = "/";
	layout->n++;
}

/* v1 hierarchies in the order of their mounts, the v2 one last. Both lists are short. */
static void sort_by_mount(struct cgroup_layout *layout, const struct cgroup_mount *mounts, size_t n)
{
	size_t done = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = done; k < layout->n; k++) {
			struct cgroup_hierarchy found = layout->items[k];

			if (found.v2 || found.mount != mounts[i].point)
				continue;
			layout->items[k] = layout->items[done];
			layout->items[done++] = found;
			break;
		}
	}
}

static size_t count_lines(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

int cgroup_layout_read(struct arena *arena, const char *root, struct cgroup_layout *ret_layout,
		       struct err *err)
{
	return cgroup_layout_read_of(arena, root, "self", ret_layout, err);
}

int cgroup_layout_read_of(struct arena *arena, const char *root, const char *process,
			  struct cgroup_layout *ret_layout, struct err *err)
{
	struct cgroup_layout layout = { .mode = CGROUP_NONE };
	char *mountinfo, *own, *line;
	struct cgroup_mount *mounts;
	size_t n;
	int r;

	r = read_all(arena, root, "/proc/self/mountinfo", CGROUP_MOUNTINFO_MAX, &mountinfo, err);
	if (r < 0)
		return r;
	n = parse_mounts(arena, mountinfo, &mounts);
	if (n == 0) {
		*ret_layout = layout;
		return 0;
	}

	r = read_own(arena, root, process, &own, err);
	if (r < 0)
		return r;
	layout.items = arena_array(arena, count_lines(own), sizeof(*layout.items));
	while ((line = strsep(&own, "\n")))
		add_hierarchy(&layout, mounts, n, line);
	sort_by_mount(&layout, mounts, n);

	if (layout.n && layout.items[layout.n - 1].v2) {
		layout.mode = layout.n == 1 ? CGROUP_V2 : CGROUP_HYBRID;
		r = read_controllers(arena, root, "", &layout.items[layout.n - 1], err);
		if (r < 0)
			return r;
	} else if (layout.n) {
		layout.mode = CGROUP_V1;
	}
	*ret_layout = layout;
	return 0;
}

/* ---- what is open to others than root --------------------------------------------------------------------------- */

static bool is_open(const char *root, const char *mount, const char *path)
{
	char full[PATH_MAX];
	int len = snprintf(full, sizeof(full), "%s%s%s", root, mount, path);

	return len < (int)sizeof(full) && faccessat(AT_FDCWD, full, W_OK | X_OK, AT_EACCESS) == 0;
}

static int narrow(struct arena *arena, const char *root, struct cgroup_hierarchy *hierarchy,
		  struct err *err)
{
	const char *own = strcmp(hierarchy->own_path, "/") == 0 ? "" : hierarchy->own_path;
	const char *slash = strrchr(own, '/');

	hierarchy->base = arena_strndup(arena, own, slash ? (size_t)(slash - own) : 0);
	if (!is_open(root, hierarchy->mount, hierarchy->base)) {
		hierarchy->base = own;
		hierarchy->closed = !is_open(root, hierarchy->mount, own);
	}
	if (!hierarchy->v2 || hierarchy->closed || !*hierarchy->base)
		return 0;
	return read_controllers(arena, root, hierarchy->base, hierarchy, err);
}

int cgroup_layout_narrow(struct arena *arena, const char *root, struct cgroup_layout *layout,
			 struct err *err)
{
	int r = 0;

	layout->narrow = true;
	for (size_t i = 0; i < layout->n && r == 0; i++)
		r = narrow(arena, root, &layout->items[i], err);
	return r;
}

void cgroup_layout_widen(struct cgroup_layout *layout)
{
	layout->narrow = false;
	for (size_t i = 0; i < layout->n; i++) {
		layout->items[i].base = NULL;
		layout->items[i].closed = false;
	}
}

bool cgroup_has_controller(const struct cgroup_hierarchy *hierarchy, const char *controller)
{
	return list_has(hierarchy->controllers, hierarchy->v2 ? ' ' : ',', controller,
			strlen(controller));
}

int cgroup_find(const struct cgroup_layout *layout, const char *controller)
{
	for (size_t i = 0; i < layout->n; i++) {
		if (!layout->items[i].closed &&
		    cgroup_has_controller(&layout->items[i], controller))
			return (int)i;
	}
	return -1;
}

int cgroup_find_v2(const struct cgroup_layout *layout)
{
	const struct cgroup_hierarchy *last = layout->n ? &layout->items[layout->n - 1] : NULL;

	return last && last->v2 && !last->closed ? (int)layout->n - 1 : -1;
}
