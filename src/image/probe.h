/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How containers can have their root filesystems in this store, found by trying it. */
#ifndef TARE_IMAGE_PROBE_H
#define TARE_IMAGE_PROBE_H

#include "image/store.h"

#include <stdbool.h>

struct overlay_means {
	bool upper;  /* what containers write can be the upper directory of an overlay here */
	bool mapped; /* layers can be seen through the ids of a user namespace, without a copy */
};

/*
 * overlay_probe() - mount an empty overlay in staging/, and once more with mapped layers
 * @root:        of the store; absolute
 * @user_xattrs: as of struct overlay
 *
 * Nothing of it is left. Return: 0; -errno if it can't be tried, or if overlayfs is not there at all
 */
int overlay_probe(const struct store *store, const char *root, bool user_xattrs,
		  struct overlay_means *ret, struct err *err) MUST_CHECK;

#endif
