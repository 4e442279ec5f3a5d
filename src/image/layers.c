/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/layers.h"

#include "base/num.h"
#include "image/copy.h"
#include "image/inflate.h"
#include "image/lease.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/remove.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define STAGED   "layer-"
#define VERIFIED "check-" /* the same for one that another is compared with */
#define CONTENT  "fs"     /* in the staged directory: what becomes the layer's */

/* ---- streams that are hashed ------------------------------------------------------------------------------------ */

struct hashed {
	struct stream stream;
	struct stream *source;
	struct hash hash;
};

static ssize_t read_hashed(struct stream *stream, void *buf, size_t size, struct err *err)
{
	struct hashed *hashed = (struct hashed *)(void *)stream;
	ssize_t n = hashed->source->read(hashed->source, buf, size, err);

	if (n > 0)
		hash_add(&hashed->hash, buf, (size_t)n);
	return n;
}

/* @like: a digest of the same algorithm */
static int hashed_init(struct hashed *hashed, struct stream *source, const char *like)
{
	*hashed = (struct hashed){ .stream.read = read_hashed, .source = source };
	return hash_init_like(&hashed->hash, like);
}

/* ---- unpacking -------------------------------------------------------------------------------------------------- */

static bool is_digest_of(struct hashed *hashed, const char *digest, char *found)
{
	hash_digest(&hashed->hash, found);
	return strcmp(found, digest) == 0;
}

/* A layer's blob, and what is to be done with it when all of it went by. */
struct source {
	/*
	 * fill() - make the layer in @dir of all of the blob
	 * Return: 0 only if the blob's digest and that of its content are right; -errno
	 */
	int (*fill)(struct source *source, int dir, const struct layer_request *request,
		    struct layer_result *ret, struct err *err);
};

/* inflate -> sha256 -> tar -> disk; @blob hashes what is read from it */
static int unpack_stream(int dir, struct stream *blob, const struct layer_request *request,
			 struct layer_result *ret, struct err *err)
{
	struct inflate *inflate = NULL;
	char found[DIGEST_TEXT_MAX];
	struct hashed inner;
	int r = inflate_new(blob, request->limit, &inflate, err);

	if (r == 0 && hashed_init(&inner, inflate_stream(inflate), request->diff_id) < 0)
		r = err_user(err, "\"%s\" is no digest", request->diff_id);
	if (r == 0)
		r = layer_unpack(dir, &inner.stream, &request->options, ret, err);
	inflate_free(inflate);
	if (r == 0 && !is_digest_of(&inner, request->diff_id, found))
		return err_user(err, "its content is %s, but the image says %s", found,
				request->diff_id);
	return r;
}

/* ---- a blob of the store ---------------------------------------------------------------------------------------- */

struct stored {
	struct source source;
	const struct store *store;
};

static int fill_from_store(struct source *source, int dir, const struct layer_request *request,
			   struct layer_result *ret, struct err *err)
{
	const struct stored *stored = (const struct stored *)(const void *)source;
	char found[DIGEST_TEXT_MAX];
	defer_close int blob = -EBADF;
	struct hashed outer;
	struct fd_stream file;
	uint64_t size;
	int r;

	blob = blob_open(stored->store, request->blob, &size, err);
	if (blob < 0)
		return blob;
	fd_stream_init(&file, blob);
	if (hashed_init(&outer, &file.stream, request->blob) < 0)
		return err_user(err, "\"%s\" is no digest", request->blob);
	r = unpack_stream(dir, &outer.stream, request, ret, err);
	/* What a tar that could not be read has left over: to know whether the blob is to blame. */
	(void)!hash_add_fd(&outer.hash, blob, NULL);
	return is_digest_of(&outer, request->blob, found) ? r
							  : blob_damaged(request->blob, found, err);
}

static struct stored from_store(const struct store *store)
{
	return (struct stored){ .source.fill = fill_from_store, .store = store };
}

/* ---- a blob on its way ------------------------------------------------------------------------------------------ */

/* What an earlier writer has left of the blob, and then what comes, which is written as it goes by. */
struct arriving {
	struct source source;
	struct stream stream;
	struct blob_writer *writer;
	struct stream *rest;
	uint64_t had, again; /* bytes that were there; how many of them were read again */
	struct err err;      /* why the blob can't be had; code 0: it can */
};

static struct arriving *arriving_of(struct stream *stream)
{
	return (struct arriving *)(void *)((char *)stream - offsetof(struct arriving, stream));
}

static ssize_t read_arriving(struct stream *stream, void *buf, size_t size, struct err *err)
{
	struct arriving *a = arriving_of(stream);
	ssize_t n;
	int r = 0;

	if (a->again < a->had) {
		n = blob_reread(a->writer, buf, size, a->again, &a->err);
		a->again += n > 0 ? (uint64_t)n : 0;
	} else {
		n = a->rest->read(a->rest, buf, size, &a->err);
		r = n > 0 ? blob_write(a->writer, buf, (size_t)n, &a->err) : 0;
	}
	if (n >= 0 && r == 0) {
		a->err.code =
			0; /* of a broken connection there may be words, though another took its place */
		return n;
	}
	*err = a->err;
	return n < 0 ? n : r;
}

static int drain(struct stream *stream, struct err *err)
{
	static char buffer[64 * 1024];
	ssize_t n;

	do {
		n = stream->read(stream, buffer, sizeof(buffer), err);
	} while (n > 0);
	return (int)n;
}

static int fill_from_arriving(struct source *source, int dir, const struct layer_request *request,
			      struct layer_result *ret, struct err *err)
{
	struct arriving *a = (struct arriving *)(void *)source;
	struct err unread = ERR_INIT;
	int r = unpack_stream(dir, &a->stream, request, ret, err);

	/* A full disk is no reason to go on; a tar that can't be read may be the blob's fault. */
	if (r < 0 && !a->err.code && err->kind == ERR_USER)
		(void)!drain(&a->stream, &unread);
	else if (r < 0 && !a->err.code)
		return r;
	if (a->err.code) {
		*err = a->err;
		return err->code;
	}
	if (blob_end(a->writer, NULL, &unread) < 0) {
		*err = unread;
		return err->code;
	}
	return r;
}

/* ---- the same layer for other ids ------------------------------------------------------------------------------- */

struct copied {
	struct source source;
	const struct store *store;
	const char *name;
};

static int fill_from_layer(struct source *source, int dir, const struct layer_request *request,
			   struct layer_result *ret, struct err *err)
{
	const struct copied *copied = (const struct copied *)(const void *)source;
	defer_close int from = openat(copied->store->layers, copied->name,
				      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (from < 0)
		return err_sys(err, "open \"layers/%s\"", copied->name);
	return copy_layer(from, dir, &request->map, err);
}

/* ---- a directory in staging/, and its name ---------------------------------------------------------------------- */

/* Everything that was written, and then the name. */
static int publish(const struct store *store, int dir, const char *name, struct err *err)
{
	int r;

	if (syncfs(dir) < 0)
		return err_sys(err, "flush the layer to the disk");
	if (renameat(dir, CONTENT, store->layers, name) < 0)
		return err_sys(err, "name the layer");
	r = os_fsync(store->layers);
	return r < 0 ? err_set(err, r, "flush the layer's name to the disk") : 0;
}

/* The directory in staging/, and its lock. Return: fd; -errno with @err; -EAGAIN to try again: it was another's */
static int open_staged(const struct store *store, const char *staged, struct err *err)
{
	defer_close int fd = -EBADF;

	if (mkdirat(store->staging, staged, 0700) < 0 && errno != EEXIST)
		return err_sys(err, "make \"staging/%s\"", staged);
	fd = openat(store->staging, staged, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -EAGAIN : err_sys(err, "open \"staging/%s\"", staged);
	if (flock(fd, LOCK_EX) < 0)
		return errno == EINTR ? -EAGAIN : err_sys(err, "lock \"staging/%s\"", staged);
	return os_is_still_at(store->staging, staged, fd) ? take_fd(&fd) : -EAGAIN;
}

/* Return: 1 if the layer is there, perhaps by who had the lock before us; 0 and *ret_dir, locked; -errno */
static int stage(const struct store *store, const char *staged, const char *name, int *ret_dir,
		 struct err *err)
{
	int dir, r;

	do {
		r = layers_have(store, name, err);
		if (r != 0)
			return r;
		dir = open_staged(store, staged, err);
	} while (dir == -EAGAIN);
	if (dir < 0)
		return dir;
	*ret_dir = dir;
	return layers_have(store, name, err);
}

/* Into @dir/fs, of which nothing must be left. Return: its fd; -errno */
static int unpack_content(int dir, struct source *source, const struct layer_request *request,
			  struct layer_result *ret, struct err *err)
{
	defer_close int content = -EBADF;
	int r = os_remove_tree(dir, CONTENT);

	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "remove what an interrupted unpacking left");
	if (mkdirat(dir, CONTENT, 0755) < 0)
		return err_sys(err, "make the layer's directory");
	content = openat(dir, CONTENT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (content < 0)
		return err_sys(err, "open the layer's directory");
	r = source->fill(source, content, request, ret, err);
	return r < 0 ? r : take_fd(&content);
}

static int unpack_staged(const struct store *store, int dir, const char *name,
			 struct source *source, const struct layer_request *request,
			 struct layer_result *ret, struct err *err)
{
	defer_close int content = unpack_content(dir, source, request, ret, err);

	return content < 0 ? content : publish(store, dir, name, err);
}

/* The lock goes with the directory's last name: who waits for it finds out, and looks again. */
static void remove_staged(const struct store *store, int dir, const char *staged)
{
	if (dir < 0)
		return;
	(void)!os_remove_tree(dir, CONTENT);
	(void)unlinkat(store->staging, staged, AT_REMOVEDIR);
}

/* @name: of the directory in layers/. Return: 0; 1 if it is there, and nothing was read of @source; -errno */
static int make_once(const struct store *store, const char *name, struct source *source,
		     const struct layer_request *request, struct layer_result *ret, struct err *err)
{
	char staged[LAYER_MAPPED_NAME_MAX + sizeof(STAGED)];
	defer_close int dir = -EBADF;
	int r;

	snprintf(staged, sizeof(staged), STAGED "%s", name);
	r = stage(store, staged, name, &dir, err);
	if (r == 0)
		r = unpack_staged(store, dir, name, source, request, ret, err);
	remove_staged(store, dir, staged);
	return r;
}

/* Return: as make_once() */
static int unpack_once(const struct store *store, struct source *source,
		       const struct layer_request *request, struct layer_result *ret,
		       struct err *err)
{
	char name[LAYER_NAME_MAX];
	int r = layers_name(request->diff_id, name);

	*ret = (struct layer_result){ 0 };
	if (r < 0)
		return err_user(err, "\"%s\" is no digest", request->diff_id);
	r = lease_layer(store, name, err);
	return r < 0 ? r : make_once(store, name, source, request, ret, err);
}

/* Its layer is there, and leased. Return: 0; 1 if the copy was there; -errno */
static int copy_mapped(const struct store *store, const struct layer_request *request,
		       struct layer_result *ret, struct err *err)
{
	char name[LAYER_NAME_MAX], mapped[LAYER_MAPPED_NAME_MAX];
	struct copied copied = { .source.fill = fill_from_layer, .store = store, .name = name };
	int r = layers_name(request->diff_id, name);

	if (r < 0)
		return err_user(err, "\"%s\" is no digest", request->diff_id);
	layers_mapped_name(name, &request->map, mapped);
	return make_once(store, mapped, &copied.source, request, ret, err);
}

int layers_unpack(const struct store *store, const struct layer_request *request,
		  struct layer_result *ret, struct err *err)
{
	struct stored stored = from_store(store);
	int r = unpack_once(store, &stored.source, request, ret, err);

	if (r >= 0 && request->map.size)
		r = copy_mapped(store, request, ret, err);

	return r < 0 ? err_context(err, "unpack layer %s", request->diff_id) : r;
}

int layers_receive(const struct store *store, const struct layer_request *request,
		   struct blob_writer *writer, struct stream *rest, struct layer_result *ret,
		   struct err *err)
{
	struct arriving arriving = {
		.source.fill = fill_from_arriving,
		.stream.read = read_arriving,
		.writer = writer,
		.rest = rest,
		.had = writer->have,
		.err = ERR_INIT,
	};
	int r = unpack_once(store, &arriving.source, request, ret, err);

	/* The layer came with another blob, of another compression: then this one is only kept. */
	if (r == 1) {
		arriving.again = arriving.had;
		r = drain(&arriving.stream, err);
		if (r == 0)
			r = blob_end(writer, NULL, err);
		return r < 0 ? r : 1;
	}
	blob_abandon(writer);
	/* What is wrong with the blob is the blob's. */
	if (r == 0 || arriving.err.code || r == -EILSEQ)
		return r;
	return err_context(err, "unpack layer %s", request->diff_id);
}

/* ---- verifying -------------------------------------------------------------------------------------------------- */

struct differences {
	compare_fn *fn;
	void *arg;
	bool any;
};

static int note_difference(void *arg, enum compare_change change, const char *path, int differs)
{
	struct differences *d = arg;

	d->any = true;
	return d->fn(d->arg, change, path, differs);
}

/* Both stay whole, whatever happens: they change places. */
static int replace(const struct store *store, int dir, const char *name, struct err *err)
{
	if (syncfs(dir) < 0)
		return err_sys(err, "flush the layer to the disk");
	if (renameat2(dir, CONTENT, store->layers, name, RENAME_EXCHANGE) < 0)
		return err_sys(err, "replace the layer");
	return 0;
}

static int compare_staged(const struct store *store, int dir, const char *name,
			  struct source *source, const struct layer_request *request,
			  struct differences *differences, struct err *err)
{
	defer_close int there =
		openat(store->layers, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	defer_close int content = -EBADF;
	struct layer_result result;
	int r;

	if (there < 0)
		return err_sys(err, "open \"layers/%s\"", name);
	content = unpack_content(dir, source, request, &result, err);
	if (content < 0)
		return content;
	r = compare_trees(content, there, note_difference, differences, err);
	return r < 0 ? r : differences->any;
}

/* @name: of the directory in layers/, which should be what @source gives. Return: as layers_verify() */
static int verify(const struct store *store, const char *name, struct source *source,
		  const struct layer_request *request, bool repair, compare_fn *fn, void *arg,
		  struct err *err)
{
	struct differences differences = { .fn = fn, .arg = arg };
	char staged[LAYER_MAPPED_NAME_MAX + sizeof(VERIFIED)];
	defer_close int dir = -EBADF;
	int r;

	snprintf(staged, sizeof(staged), VERIFIED "%s", name);
	do {
		dir = open_staged(store, staged, err);
	} while (dir == -EAGAIN);
	r = dir < 0 ? dir : compare_staged(store, dir, name, source, request, &differences, err);
	if (r > 0 && repair && replace(store, dir, name, err) < 0)
		r = err->code;
	remove_staged(store, dir, staged);
	return r < 0 ? err_context(err, "verify layer %s", name) : r;
}

int layers_verify(const struct store *store, const struct layer_request *request, bool repair,
		  compare_fn *fn, void *arg, struct err *err)
{
	struct stored stored = from_store(store);
	char name[LAYER_NAME_MAX];

	if (layers_name(request->diff_id, name) < 0)
		return err_user(err, "\"%s\" is no digest", request->diff_id);
	return verify(store, name, &stored.source, request, repair, fn, arg, err);
}

/* The ids after the name's first "+": "300000+65536" */
static int read_map(const char *name, struct id_map *ret)
{
	const char *ids = strchr(name, '+') + 1, *size = strchr(ids, '+');
	uint64_t host_id, n;

	if (!size || num_u64(ids, (size_t)(size - ids), &host_id) < 0 ||
	    num_u64(size + 1, strlen(size + 1), &n) < 0 || host_id > UINT32_MAX || !n ||
	    n > UINT32_MAX)
		return -EINVAL;
	*ret = (struct id_map){ .host_id = (uint32_t)host_id, .size = (uint32_t)n };
	return 0;
}

int layers_verify_mapped(const struct store *store, const char *name, compare_fn *fn, void *arg,
			 struct err *err)
{
	char plain[LAYER_NAME_MAX];
	struct copied copied = { .source.fill = fill_from_layer,
				 .store = store,
				 .name = layers_name_of(name, plain) };
	struct layer_request request = { .limit = INT64_MAX };

	if (read_map(name, &request.map) < 0)
		return err_user(err, "\"layers/%s\" has a name that tells of no ids", name);
	return verify(store, name, &copied.source, &request, false, fn, arg, err);
}
