/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/layer_make.h"

#include "image/blob.h"
#include "image/deflate.h"

#include <stdlib.h>

/* tar -> diffID -> deflate -> blob */
struct making {
	struct sink tar;  /* first: what is written into it is the tar */
	struct sink blob; /* what the compressor writes into */
	struct blob_writer writer;
	struct deflate *deflate;
	struct hash hash;
	uint64_t tar_bytes;
};

static int write_tar(struct sink *sink, const void *bytes, size_t len, struct err *err)
{
	struct making *m = (struct making *)(void *)sink;
	struct sink *next = deflate_sink(m->deflate);

	hash_add(&m->hash, bytes, len);
	m->tar_bytes += len;
	return next->write(next, bytes, len, err);
}

static int write_blob(struct sink *sink, const void *bytes, size_t len, struct err *err)
{
	struct making *m = (struct making *)(void *)((char *)sink - offsetof(struct making, blob));

	return blob_write(&m->writer, bytes, len, err);
}

int layer_make(const struct store *store, enum media_compression compression, layer_make_fn *fill,
	       void *arg, struct made_layer *ret, struct err *err)
{
	struct making m = { .tar.write = write_tar, .blob.write = write_blob };
	struct made_layer made = { .media_type = media_type_layer(compression) };
	int r = blob_begin(store, NULL, BLOB_SIZE_UNKNOWN, &m.writer, err);

	if (r < 0)
		return err_context(err, "make a layer");
	hash_init(&m.hash, DIGEST_SHA256);
	r = deflate_new(compression, &m.blob, &m.deflate, err);
	if (r == 0)
		r = fill(arg, &m.tar, err);
	if (r == 0)
		r = deflate_end(m.deflate, err);
	deflate_free(m.deflate);
	made.size = m.writer.have;
	made.tar_bytes = m.tar_bytes;
	hash_digest(&m.hash, made.diff_id);
	if (r == 0)
		r = blob_end(&m.writer, made.digest, err);
	else
		blob_abandon(&m.writer);
	if (r == 0)
		*ret = made;
	return r < 0 ? err_context(err, "make a layer") : 0;
}

struct tree {
	int root;
	const struct pack_options *options;
	struct pack_result *result;
};

static int fill_from_tree(void *arg, struct sink *tar, struct err *err)
{
	const struct tree *tree = arg;

	return pack_tree(tree->root, tree->options, tar, tree->result, err);
}

int layer_make_tree(const struct store *store, enum media_compression compression, int root,
		    const struct pack_options *options, struct pack_result *packed,
		    struct made_layer *ret, struct err *err)
{
	struct tree tree = { root, options, packed };

	return layer_make(store, compression, fill_from_tree, &tree, ret, err);
}

static int fill_from_stream(void *arg, struct sink *tar, struct err *err)
{
	static char buffer[128 * 1024];
	struct stream *stream = arg;
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = stream->read(stream, buffer, sizeof(buffer), err)) != 0)
		r = n < 0 ? (int)n : tar->write(tar, buffer, (size_t)n, err);
	return r;
}

int layer_make_stream(const struct store *store, enum media_compression compression,
		      struct stream *tar, struct made_layer *ret, struct err *err)
{
	return layer_make(store, compression, fill_from_stream, tar, ret, err);
}
