/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unpacked layers: ROOT/layers/ALGORITHM-HEX, named after the diffID, the digest of the layer's tar. A layer is unpacked once,
 * whatever images share it, and appears by one rename when both of its digests are right and all of it is on the disk.
 *
 * Who unpacks holds a lock on its directory in staging/. So two who need the same layer meet there, as with blobs; but what an
 * interrupted one leaves is thrown away, since nobody can tell how far it got.
 */
#ifndef TARE_IMAGE_LAYERS_H
#define TARE_IMAGE_LAYERS_H

#include "image/blob.h"
#include "image/compare.h"
#include "image/layer.h"
#include "image/store.h"
#include "spec/config.h"

/* The directory's name below layers/: no colon, which separates lower directories for mount(8). */
#define LAYER_NAME_MAX 136

/* The same of a copy for other ids, NAME+HOSTID+SIZE: where layers can't be mapped as they are mounted */
#define LAYER_MAPPED_NAME_MAX (LAYER_NAME_MAX + 24)

struct layer_request {
	const char *blob;    /* digest of the compressed bytes, which are in the store */
	const char *diff_id; /* digest of what they inflate to */
	uint64_t limit;      /* bytes that they may inflate to */
	struct layer_options options;
	struct id_map
		map; /* size 0: none; else there is to be a copy for containers with these ids as well */
};

/* layers_name() - the name of a layer's directory. @buf: LAYER_NAME_MAX bytes. Return: 0; -EINVAL */
int layers_name(const char *diff_id, char *buf) MUST_CHECK;

/* layers_mapped_name() - of the copy for @map. @buf: LAYER_MAPPED_NAME_MAX bytes */
void layers_mapped_name(const char *name, const struct id_map *map, char *buf);

/* layers_name_of() - the name of the layer that @name is a copy of, or itself; in @buf: LAYER_NAME_MAX bytes */
const char *layers_name_of(const char *name, char *buf);

/* layers_have() - is there an unpacked layer of that name. Return: 1; 0; -errno */
int layers_have(const struct store *store, const char *name, struct err *err) MUST_CHECK;

/*
 * layers_unpack() - unpack a layer, unless it is there
 * @ret: what was made; zeros if it was there already
 *
 * Waits while somebody else unpacks the same one. On failure nothing of it is left.
 * Return: 0; 1 if it was there; -EIO if the blob is damaged; -EINVAL if the tar is not what the image says; -errno
 */
typedef int layers_unpack_fn(const struct store *store, const struct layer_request *request,
			     struct layer_result *ret, struct err *err);
layers_unpack_fn layers_unpack MUST_CHECK;

/*
 * layers_receive() - unpack a layer while its blob comes into the store
 * @writer: from blob_begin(), of request->blob; has ended afterwards, whatever happens
 * @rest:   gives the blob's bytes from writer->have on
 *
 * The blob gets its name when its digest is right, the layer when both are. What came of a blob until @rest or the disk failed stays
 * for the next writer. If the layer is there, only the blob is kept; it waits as layers_unpack() does. Nobody waits for a blob
 * with a layer's lock, so it can't be for ever.
 * Return: 0; 1 if the layer was there; -EILSEQ if the bytes are not the blob's; -EINVAL if the tar is not what the image says, and
 *         the blob is there all the same; what @rest returns; -errno
 */
int layers_receive(const struct store *store, const struct layer_request *request,
		   struct blob_writer *writer, struct stream *rest, struct layer_result *ret,
		   struct err *err) MUST_CHECK;

/*
 * layers_verify() - is an unpacked layer still what its blob says
 * @repair: put one that was unpacked anew into its place; who has the old one mounted keeps it
 * @fn:     told of each difference; not NULL
 *
 * Unpacks it once more and compares every byte and attribute; takes that much room meanwhile.
 * Return: 0; 1 if it differs; -ENOENT if the layer or its blob is not there; otherwise as layers_unpack()
 */
int layers_verify(const struct store *store, const struct layer_request *request, bool repair,
		  compare_fn *fn, void *arg, struct err *err) MUST_CHECK;

/*
 * layers_verify_mapped() - is a copy for other ids still what its layer is, with those ids
 * @name: of its directory (layers_mapped_name())
 *
 * Copies the layer once more, and so takes that much room meanwhile.
 * Return: 0; 1 if it differs; -ENOENT if the layer is not there; -EINVAL if the name tells of no ids; -errno
 */
int layers_verify_mapped(const struct store *store, const char *name, compare_fn *fn, void *arg,
			 struct err *err) MUST_CHECK;

#endif
