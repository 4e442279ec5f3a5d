/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What nobody needs goes: blobs and unpacked layers that nothing reaches (reach.h), and what the dead have left in staging/.
 *
 * What is needed is found out, and the rest taken from its place, under the store's lock, so that nobody can begin to need
 * something meanwhile. What was taken is in staging/ then, unlocked, which makes it garbage by definition: a collection that is
 * killed is finished by the next.
 */
#ifndef TARE_IMAGE_GC_H
#define TARE_IMAGE_GC_H

#include "base/arena.h"
#include "image/store.h"

#include <stdbool.h>
#include <stdint.h>

enum gc_kind {
	GC_BLOB,
	GC_LAYER,
	GC_STAGED,
	GC_ARTIFACT, /* the manifest of what refers to an image that is gone (artifacts.h) */
	GC_KINDS
};

struct gc_options {
	bool dry_run;    /* say what would go, and leave it */
	bool keep_begun; /* leave what an interrupted download could be gone on with */
	/*
	 * gone() - told of each thing that goes; may be NULL
	 * @name: a digest, the name of a layer's directory, a name in staging/
	 */
	void (*gone)(void *arg, enum gc_kind kind, const char *name, uint64_t bytes);
	void *arg;
};

struct gc_result {
	unsigned n[GC_KINDS];
	uint64_t bytes; /* of the disk that came free */
};

/*
 * gc_collect() - remove what nobody needs
 *
 * Return: 0; -EIO or -EINVAL if something that is needed can't be read, so that what it needs is not known, and then nothing was
 * removed; -errno
 */
int gc_collect(const struct store *store, const struct gc_options *options, struct gc_result *ret,
	       struct err *err) MUST_CHECK;

/* gc_discard() - put something of the store aside, to be removed: a damaged blob. Return: 0; -ENOENT; -errno */
int gc_discard(const struct store *store, int dir, const char *name) MUST_CHECK;

#endif
