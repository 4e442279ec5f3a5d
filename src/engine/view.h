/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Root filesystems looked at from outside, whether the container runs or not: what it has written, the layers below that, both
 * together. Views are read-only overlays without a name in any mount namespace. In a view ids are those of the container.
 *
 * A container that does not run is kept as it is by a shared lock, so several may look at it. One that runs is held by who runs
 * it, and may end and be removed meanwhile; view_check() tells whether what was read is to be trusted.
 */
#ifndef TARE_ENGINE_VIEW_H
#define TARE_ENGINE_VIEW_H

#include "engine/containers.h"
#include "image/image.h"

/* The layers of an image, the lowest first: absolute directories. */
struct view_layers {
	const char **items;
	size_t n;
	bool user_xattrs; /* overlayfs's marks in them are user.overlay.* */
};

/* view_layers_of() - unpack those that are not there yet. @image: leased, or held by a container */
int view_layers_of(struct arena *arena, const struct roots *roots, const struct store *store,
		   const struct image *image, struct view_layers *ret, struct err *err) MUST_CHECK;

/* view_layers_open() - the lowest @n of them as one directory. Return: fd; -EBADF with no error if @n is 0; -errno with @err */
int view_layers_open(const struct view_layers *layers, size_t n, struct err *err) MUST_CHECK;

struct view {
	struct container_record record;
	struct roots roots;
	const char *path;     /* of the container's directory */
	const char *oci_root; /* of the runtime's records */
	int dir;              /* the directory, with the lock if it does not run; owned */
	bool runs;
	bool has_image;
	const char *root_dir; /* absolute; without an image: the container's root filesystem */
	struct image image;
	struct view_layers layers;
	struct str_list mounts; /* where something is mounted in it; absolute, clean */
	int userns; /* gives upper's ids back; -EBADF: they are the container's; owned */
};

#define VIEW_INIT ((struct view){ .dir = -EBADF, .userns = -EBADF })

/*
 * view_open() - begin to look at a container
 * @id: whole
 *
 * Return: 0; -ENOENT; -EBUSY if somebody makes or removes it; -errno
 */
int view_open(struct arena *arena, const struct roots *roots, const struct store *store,
	      const char *id, struct view *ret, struct err *err) MUST_CHECK;

/*
 * view_upper(), view_lower(), view_whole() - what it has written; what was there before; both
 *
 * Return: a readable directory, owned by the caller; of view_lower() -EBADF with no error if there was nothing; -EINVAL if
 * that can't be told of this container, and why; -errno
 */
int view_upper(const struct view *view, struct err *err) MUST_CHECK;
int view_lower(const struct view *view, struct err *err) MUST_CHECK;
int view_whole(const struct view *view, struct err *err) MUST_CHECK;

/* view_check() - is what was read of it all that was there. Return: 0; -EAGAIN if it ended while it was read */
int view_check(const struct view *view, struct err *err) MUST_CHECK;

void view_clear(struct view *view);

#endif
