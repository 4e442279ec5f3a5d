/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A layer's tar becomes a directory, in the form that overlayfs wants.
 *
 * libarchive reads the tar (pax, GNU, sparse, ACLs); every write is ours. A name is resolved by the kernel inside the
 * layer's own root (openat2), so no link and no ".." leads out of it, whatever the entries before it have made; the last
 * component is never followed. What is there already is replaced, as tar does it.
 *
 * Whiteouts: ".wh.NAME" becomes a character device 0/0, ".wh..wh..opq" an opaque directory. They speak of lower layers only, so
 * where in the layer they stand makes no difference: an entry of this layer stays, and if it is a directory it becomes
 * opaque.
 *
 * Spec: image-spec layer.md; kernel Documentation/filesystems/overlayfs.rst "whiteouts and opaque directories"
 */
#ifndef TARE_IMAGE_LAYER_H
#define TARE_IMAGE_LAYER_H

#include "image/stream.h"

#include <stdbool.h>

/* Bounds the inodes that one layer can take; the largest known have a tenth of it. */
#define LAYER_ENTRIES_MAX 4000000

/*
 * What one layer may inflate to, wherever it comes from: what can be pulled, loaded or imported can be run. The largest that are
 * known have a tenth of it; what goes on beyond it is a bomb.
 */
#define LAYER_BYTES_MAX ((uint64_t)1 << 40)

struct layer_options {
	bool user_xattrs; /* overlay's own attributes are user.overlay.*, for a mount by a user (option userxattr) */
	bool may_skip; /* without privilege: leave out devices and attributes that it takes privilege to make */
};

struct layer_result {
	uint64_t entries, bytes;  /* bytes: of the files' content */
	unsigned devices_skipped; /* only with may_skip */
	unsigned
		xattrs_skipped; /* overlay's own, which no layer may bring; with may_skip also others */
};

/*
 * layer_unpack() - make the tar's entries below @root
 * @root: an empty directory; borrowed
 * @tar:  read to its end, also what follows the archive, since the digest is of all of it
 *
 * Sets the umask meanwhile. On failure something may have been made: remove the directory.
 * Needs:  CAP_CHOWN, CAP_FOWNER, CAP_DAC_OVERRIDE, CAP_MKNOD, CAP_SETFCAP in the user namespace of the filesystem
 * Return: 0; -EINVAL if it is no tar, or has an entry that must not be; -errno, with the entry's name
 */
int layer_unpack(int root, struct stream *tar, const struct layer_options *options,
		 struct layer_result *ret, struct err *err) MUST_CHECK;

/* layer_scan() - read @tar to its end without making anything. Return: 0; -EINVAL if it is no tar; -errno */
int layer_scan(struct stream *tar, struct err *err) MUST_CHECK;

#endif
