/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * By way of the magic link of an O_PATH fd, which is the only way to name a link itself in a directory before getxattrat(2) of
 * Linux 6.13.
 */
#include "image/xattr.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

struct magic {
	char path[40];
};

/* Return: fd, which must stay open while the path is used; -errno */
static int open_magic(int dir, const char *name, struct magic *ret)
{
	int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	snprintf(ret->path, sizeof(ret->path), "/proc/self/fd/%d", fd);
	return fd;
}

bool xattr_is_overlays(const char *name)
{
	return strncmp(name, "trusted.overlay.", 16) == 0 ||
	       strncmp(name, "user.overlay.", 13) == 0;
}

static bool is_passed_over(const char *name, bool of_layer)
{
	return (!of_layer && xattr_is_overlays(name)) || !strcmp(name, "security.selinux") ||
	       !strcmp(name, "security.ima") || !strcmp(name, "security.evm");
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct xattr *)a)->name, ((const struct xattr *)b)->name);
}

static int read_value(const char *path, struct arena *arena, struct xattr *x)
{
	char value[XATTR_SIZE_MAX];
	ssize_t n = getxattr(path, x->name, value, sizeof(value));

	if (n < 0)
		return -errno;
	x->value = memcpy(arena_alloc(arena, (size_t)n + 1), value, (size_t)n);
	x->len = (size_t)n;
	return 0;
}

static int list(int dir, const char *name, bool of_layer, struct arena *arena,
		struct xattr_list *ret)
{
	char names[XATTR_LIST_MAX];
	struct magic magic;
	defer_close int fd = open_magic(dir, name, &magic);
	ssize_t len;
	int r = 0;

	if (fd < 0)
		return fd;
	*ret = (struct xattr_list){ 0 };
	len = listxattr(magic.path, names, sizeof(names));
	if (len < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	/* A name takes two bytes at least. */
	ret->items = arena_array(arena, (size_t)len / 2 + 1, sizeof(*ret->items));
	for (char *at = names; r == 0 && at < names + len; at += strlen(at) + 1) {
		struct xattr *x = &ret->items[ret->n];

		if (is_passed_over(at, of_layer))
			continue;
		x->name = arena_strdup(arena, at);
		r = read_value(magic.path, arena, x);
		if (r == 0)
			ret->n++;
		else if (r == -ENODATA)
			r = 0;
	}
	qsort(ret->items, ret->n, sizeof(*ret->items), compare);
	return r;
}

int xattr_list(int dir, const char *name, struct arena *arena, struct xattr_list *ret)
{
	return list(dir, name, false, arena, ret);
}

int xattr_list_of_layer(int dir, const char *name, struct arena *arena, struct xattr_list *ret)
{
	return list(dir, name, true, arena, ret);
}

ssize_t xattr_get(int dir, const char *name, const char *attribute, void *buf, size_t size)
{
	struct magic magic;
	defer_close int fd = open_magic(dir, name, &magic);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = getxattr(magic.path, attribute, buf, size);
	return n < 0 ? (errno == EOPNOTSUPP ? -ENODATA : -errno) : n;
}

int xattr_is_opaque(int dir, const char *name)
{
	static const char *const names[] = { "trusted.overlay.opaque", "user.overlay.opaque" };
	char value[4];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		ssize_t n = xattr_get(dir, name, names[i], value, sizeof(value));

		if (n == 1 && value[0] == 'y')
			return 1;
		if (n < 0 && n != -ENODATA && n != -ERANGE)
			return (int)n;
	}
	return 0;
}

static bool has_attribute(int dir, const char *name, const char *attribute)
{
	static const char *const prefixes[] = { "trusted.overlay.", "user.overlay." };
	char whole[64], value[16];

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		ssize_t n;

		snprintf(whole, sizeof(whole), "%s%s", prefixes[i], attribute);
		n = xattr_get(dir, name, whole, value, sizeof(value));
		if (n >= 0 || n == -ERANGE)
			return true;
	}
	return false;
}

const char *xattr_elsewhere(int dir, const char *name)
{
	static const char *const names[] = { "redirect", "metacopy", "whiteout" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (has_attribute(dir, name, names[i]))
			return names[i];
	}
	return NULL;
}

int xattr_set(int dir, const char *name, const char *attribute, const void *value, size_t len)
{
	struct magic magic;
	defer_close int fd = open_magic(dir, name, &magic);

	if (fd < 0)
		return fd;
	return setxattr(magic.path, attribute, value, len, 0) < 0 ? -errno : 0;
}
