/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything in the store that somebody needs: from the entries of index.json, from containers and from leases (lease.h), down
 * through indexes and manifests to configs, layers, and the directories that the layers are unpacked in; and back from what is
 * needed to what refers to it (artifacts.h).
 *
 * What an index names and the store doesn't have is no fault, since a pull takes one platform's image and leaves the others.
 * What a manifest names should be there.
 */
#ifndef TARE_IMAGE_REACH_H
#define TARE_IMAGE_REACH_H

#include "base/string_map.h"
#include "image/artifacts.h"

enum reach_fault {
	REACH_MISSING,   /* a blob that something names is not there */
	REACH_UNUSABLE,  /* a document is there, but damaged or no document */
	REACH_NO_DIGEST, /* what a container or a lease names is no digest */
};

/*
 * reach_fault_fn - told of what is wrong
 * @by:  what names it: "index.json", a manifest's digest, "container web"
 * @why: of REACH_UNUSABLE: what reading it said; else NULL
 *
 * Return: 0 to go on without it; < 0 to end
 */
typedef int reach_fault_fn(void *arg, enum reach_fault fault, const char *digest, const char *by,
			   const struct err *why);

struct reach {
	const struct store *store;
	struct arena *arena;
	reach_fault_fn
		*fault; /* NULL: what is missing is passed over, the rest ends it with @err */
	void *arg;
	struct string_map blobs; /* digest */
	struct string_map
		layers; /* name of the directory -> char *, digest of a blob of it; NULL: not known */
	/* of reach_all(): digests of what index.json has because of something that nobody needs any more */
	struct string_map orphans;
};

void reach_init(struct reach *reach, const struct store *store, struct arena *arena);

/* reach_all() - from all that needs something. Should be called with the store locked, unless nothing follows from it */
int reach_all(struct reach *reach, struct err *err) MUST_CHECK;

/* reach_image() - from one image or index, which @by names */
int reach_image(struct reach *reach, const char *digest, const char *by,
		struct err *err) MUST_CHECK;

#endif
