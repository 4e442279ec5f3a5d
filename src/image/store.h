/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where images are kept: a directory and no database.
 *
 *     ROOT/images/oci-layout, index.json   an OCI image layout that skopeo and umoci read as it is: index.json has the names,
 *     ROOT/images/blobs/sha256/...         blobs have all the rest
 *     ROOT/layers/...                      layers, unpacked (layers.h)
 *     ROOT/staging/...                     what is being written
 *
 * Three rules make it survive whatever happens. A file under blobs/ was verified before it got its name, and its bytes were
 * on the disk before that name was. index.json is replaced as a whole, under a lock that is held for just that long. What
 * is in staging/ belongs to whoever holds a lock on it; what nobody has locked is the rest of somebody who died, to be gone
 * on with or thrown away. The kernel drops locks with their owner, so there is never a stale one.
 *
 * Spec: image-spec image-layout.md
 */
#ifndef TARE_IMAGE_STORE_H
#define TARE_IMAGE_STORE_H

#include "base/err.h"
#include "spec/digest.h"

struct lease;

struct store {
	int root, images, staging, layers;
	int blobs[DIGEST_ALGORITHMS];
	struct lease
		*lease; /* what this opening of the store needs and no name holds yet (lease.h) */
};

/* STORE_INIT - a store that is not open, so that store_clear() can be its cleanup */
#define STORE_INIT ((struct store){ -EBADF, -EBADF, -EBADF, -EBADF, { -EBADF, -EBADF }, NULL })

/*
 * store_open() - open the store at @path, and make what is missing of it
 *
 * The directories are for their owner alone (0700): what a layer holds, set-uid programs too, is nobody else's to run.
 * Return: 0; -EINVAL if what is there is no layout of a version that we know; -errno
 */
int store_open(const char *path, struct store *ret, struct err *err) MUST_CHECK;

#define STORE_INDEX     "index.json"
#define STORE_TEMPORARY ".index.json.new" /* becomes index.json; only who has the lock writes it */

/*
 * store_lock() - keep others from changing index.json until store_unlock()
 *
 * Must not be held for longer than it takes to read and replace it; only who collects garbage reads more meanwhile (gc.h).
 * Readers need no lock. Not to be taken twice: the inner unlock would end both.
 */
int store_lock(const struct store *store, struct err *err) MUST_CHECK;
void store_unlock(const struct store *store);

void store_clear(struct store *store);

#define defer_store __attribute__((cleanup(store_clear)))

#endif
