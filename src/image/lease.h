/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What keeps things in the store that no name in index.json holds.
 *
 * A lease: somebody who is at work (a pull, a commit, the start of a container) says what it needs before it looks whether it
 * is there, in a file in staging/ that it holds a lock on. The lock ends with its owner, and then so does the lease. Each line
 * is written under the store's lock, under which garbage is collected too (gc.h): so what is found in the store after it
 * was leased stays.
 *
 * A container: ROOT/containers/ID/image has the digest of the manifest that it was made of. It holds that image and its
 * layers until the container's directory goes.
 */
#ifndef TARE_IMAGE_LEASE_H
#define TARE_IMAGE_LEASE_H

#include "image/store.h"

#define LEASE_PREFIX "lease-" /* of the files in staging/ */
#define LEASE_BLOB                                                                                 \
	"blob " /* what a line begins with: a digest follows; the name of a layer's directory */
#define LEASE_LAYER "layer "
/* A file without an end is no lease: some hundred thousand blobs. */
#define LEASE_MAX_BYTES ((size_t)16 * 1024 * 1024)

#define LEASE_CONTAINERS "containers"
#define LEASE_IMAGE      "image"

/* lease_new(), lease_free() - for store_open() and store_clear(); a lease has no file before it has something in it */
int lease_new(struct lease **ret, struct err *err) MUST_CHECK;
void lease_free(const struct store *store, struct lease *lease);

/*
 * lease_blob() - keep a blob until store_clear(), and if it is an image or an index, everything that it refers to
 *
 * blob_begin() and blob_make() do it for what they write or find. Who means to use an image by its digest (to run it, to name
 * it) should call it before reading the manifest. Must not be called with the store locked.
 * Return: 0, whether there is such a blob or not; -errno
 */
int lease_blob(const struct store *store, const char *digest, struct err *err) MUST_CHECK;

/* lease_layer() - the same for an unpacked layer. @name: as of layers_name() */
int lease_layer(const struct store *store, const char *name, struct err *err) MUST_CHECK;

/*
 * lease_container() - let a container keep its image, by a file in its directory
 * @dir:    ROOT/containers/ID
 * @digest: of the image's manifest, which the caller has leased
 * @throw_away: the container need not outlive a power cut, so nothing is flushed
 */
int lease_container(int dir, const char *digest, bool throw_away, struct err *err) MUST_CHECK;

#endif
