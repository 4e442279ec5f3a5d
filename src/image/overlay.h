/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root filesystem of a container: its image's layers below, a directory of its own on top, by overlayfs.
 *
 * Layers are handed to the kernel one by one (lowerdir+), so there may be as many as it takes, and not as many as paths fit
 * into a page. Kernels before 6.7 get them as numbers of fds, so that all of them fit (overlay_old.c). The mount is detached: it
 * has no name in any mount namespace, so nothing is left of it when its owner dies.
 *
 * Spec: kernel Documentation/filesystems/overlayfs.rst
 */
#ifndef TARE_IMAGE_OVERLAY_H
#define TARE_IMAGE_OVERLAY_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* What OVERLAY_MAX_LAYERS of the kernel says. */
#define OVERLAY_LAYERS_MAX 500

struct overlay {
	const char *const *layers; /* absolute directories, the lowest first; at least one */
	size_t n_layers;
	const char *upper,
		*work; /* absolute, on one filesystem; work must be empty or overlayfs's own */
	const char *
		place; /* absolute, an empty directory: where older kernels need one, and nobody sees the mount */
	bool throw_away; /* nothing of it need outlive the container: no flushing to the disk */
	bool user_xattrs; /* its own attributes are user.overlay.*, as layers unpacked with them have it */
	/*
	 * A user namespace through whose ids the layers are seen, so that one unpacked layer serves containers with other
	 * mappings; -EBADF: none. Borrowed. Upper is not mapped, since overlayfs itself works there with our own ids: what the
	 * container writes has its host ids on the disk.
	 */
	int userns;
};

/*
 * overlay_mount() - make the mount
 *
 * Needs:  CAP_SYS_ADMIN in the user namespace of the mount namespace; for @userns Linux 5.19, and a filesystem that can be mapped
 * Return: a detached mount, owned by the caller; -EXDEV if the filesystem of @upper can't have an upper directory (it is
 *         itself an overlay, say): see overlay_scratch(); -EOPNOTSUPP if layers can't be mapped here; -errno
 */
int overlay_mount(const struct overlay *overlay, struct err *err) MUST_CHECK;

/*
 * overlay_view() - directories seen as one that nobody can write to
 * @layers: as of struct overlay, overlayfs's own marks in them and all; at least one
 * @top:    one more, above them, as an upper directory is: what a container has written; NULL: none
 * @userns: a user namespace through whose ids @top is seen; -EBADF: none
 *
 * What is written into @top meanwhile may be seen or not.
 * Return: its root, readable, owned by the caller; -errno
 */
int overlay_view(const char *const *layers, size_t n_layers, const char *top, int userns,
		 bool user_xattrs, struct err *err) MUST_CHECK;

/*
 * overlay_scratch() - let memory have the place of a directory that can't have an upper directory
 * @dir: absolute; a tmpfs is mounted on it, in it the empty directories "upper" and "work"
 *
 * Once overlay_mount() has used them, overlay_scratch_end() takes the tmpfs off @dir again: the overlay keeps it.
 */
int overlay_scratch(const char *dir, struct err *err) MUST_CHECK;
void overlay_scratch_end(const char *dir);

#endif
