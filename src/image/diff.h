/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What changed between two directories, as docker and podman tell it: sorted, parents first; a directory with something changed in
 * it has changed itself; of a directory that is gone nothing is told but that.
 */
#ifndef TARE_IMAGE_DIFF_H
#define TARE_IMAGE_DIFF_H

#include "base/arena.h"
#include "image/compare.h"
#include "spec/config.h"

#include <stddef.h>

struct diff_entry {
	enum compare_change change;
	const char *path; /* without a leading "/"; "" for the root */
};

struct diff {
	struct arena *arena; /* owns the entries */
	struct diff_entry *items;
	size_t n;
};

/*
 * diff_upper() - what an upper directory of overlayfs changes
 * @lower:  what is below it, as one directory (overlay_view()); -EBADF: nothing
 * @mounts: absolute paths, clean. What was made in @upper only to mount something on it is no change
 * @ret:    empty but for its arena
 *
 * What was copied up and is the same as before is no change.
 * Return: 0; -EINVAL if a part of it is in another layer; -errno
 */
int diff_upper(int upper, int lower, const struct str_list *mounts, struct diff *ret,
	       struct err *err) MUST_CHECK;

/* diff_trees() - how to get from one whole directory to another */
int diff_trees(int before, int after, struct diff *ret, struct err *err) MUST_CHECK;

/* diff_has() - is there an entry of that path */
bool diff_has(const struct diff *diff, const char *path);

#endif
