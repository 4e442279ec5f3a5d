/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Extended attributes of one node that is no path but a name in a directory; a link's own are its own. */
#ifndef TARE_IMAGE_XATTR_H
#define TARE_IMAGE_XATTR_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

struct xattr {
	const char *name;
	const void *value;
	size_t len;
};

/* Sorted by name. */
struct xattr_list {
	struct xattr *items;
	size_t n;
};

/* xattr_is_overlays() - is it overlayfs's own: "trusted.overlay.*", "user.overlay.*" */
bool xattr_is_overlays(const char *name);

/*
 * xattr_list() - all of them, but those that are overlayfs's own, or that say how this host labels its files
 *
 * security.selinux and the like are the host's: it gives them to whatever is made on it.
 * Return: 0; -errno
 */
int xattr_list(int dir, const char *name, struct arena *arena, struct xattr_list *ret) MUST_CHECK;

/* xattr_list_of_layer() - the same with those that are overlayfs's own: of a layer that is to be a layer again */
int xattr_list_of_layer(int dir, const char *name, struct arena *arena,
			struct xattr_list *ret) MUST_CHECK;

/* xattr_get() - one of them into @buf. Return: its length; -ENODATA; -errno */
ssize_t xattr_get(int dir, const char *name, const char *attribute, void *buf,
		  size_t size) MUST_CHECK;

/* xattr_is_opaque() - does a directory of a layer hide what is below it. Return: 1, 0; -errno */
int xattr_is_opaque(int dir, const char *name) MUST_CHECK;

/*
 * xattr_elsewhere() - does overlayfs have a part of this node in another layer: redirect, metacopy, a whiteout by attribute
 *
 * Our own mounts never make them.
 * Return: the attribute's last word; NULL
 */
const char *xattr_elsewhere(int dir, const char *name);

/* xattr_set() - Return: 0; -errno */
int xattr_set(int dir, const char *name, const char *attribute, const void *value,
	      size_t len) MUST_CHECK;

#endif
