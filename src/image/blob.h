/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blobs: content under the name of its digest. There is one way for bytes to become a blob: through a writer, which hashes
 * them on their way to a file in staging/ and gives that file its name when digest and size are right.
 *
 * A blob whose digest is known beforehand is staged under that digest, and the file is locked by who writes it. So two who
 * want the same blob meet there: the second waits, and then finds it done. What a writer leaves when it is interrupted is
 * taken up by the next one: its bytes are hashed again, and the rest is asked for.
 */
#ifndef TARE_IMAGE_BLOB_H
#define TARE_IMAGE_BLOB_H

#include "base/arena.h"
#include "spec/hash.h"
#include "image/store.h"

#include <stdbool.h>
#include <stdint.h>

#define BLOB_SIZE_UNKNOWN UINT64_MAX

struct blob_writer {
	const struct store *store; /* borrowed */
	int fd;
	char name[DIGEST_TEXT_MAX];   /* of the file in staging/ */
	char digest[DIGEST_TEXT_MAX]; /* what it must become; empty: whatever it becomes */
	uint64_t size;                /* what it must have; BLOB_SIZE_UNKNOWN */
	uint64_t have; /* bytes written so far, those of an earlier writer included */
	struct hash hash;
};

/* BLOB_WRITER_INIT - a writer that writes nothing, so that blob_abandon() can be its cleanup */
#define BLOB_WRITER_INIT ((struct blob_writer){ .fd = -EBADF })

/*
 * blob_begin() - begin to write a blob, unless it is there
 * @digest: what it must have, or NULL: a sha256 that blob_end() says
 * @size:   what it must have, or BLOB_SIZE_UNKNOWN
 * @ret:    must be ended by blob_end() or blob_abandon(); ret->have says where to go on
 *
 * Waits while somebody else writes the same blob.
 * Return: 0; 1 if it is there already, with nothing to be ended; -EINVAL if it is there with another size; -errno
 */
int blob_begin(const struct store *store, const char *digest, uint64_t size,
	       struct blob_writer *ret, struct err *err) MUST_CHECK;

/* blob_write() - more of its bytes. Return: 0; -EINVAL if they are more than its size; -errno */
int blob_write(struct blob_writer *writer, const void *bytes, size_t len,
	       struct err *err) MUST_CHECK;

/* blob_reread() - of the bytes written so far, those at @offset. Return: how many; -errno */
ssize_t blob_reread(const struct blob_writer *writer, void *buf, size_t size, uint64_t offset,
		    struct err *err) MUST_CHECK;

/* blob_restart() - forget what an earlier writer left: for who can't go on in the middle */
int blob_restart(struct blob_writer *writer, struct err *err) MUST_CHECK;

/*
 * blob_end() - all of it was written: verify it, put it on the disk and give it its name
 * @ret_digest: its digest, DIGEST_TEXT_MAX bytes; or NULL
 *
 * What turns out to be wrong is removed at once, so that nobody goes on with it. The writer has ended whatever happens.
 * Return: 0; -EILSEQ if digest or size are not what they must be; -errno
 */
int blob_end(struct blob_writer *writer, char *ret_digest, struct err *err) MUST_CHECK;

/* blob_abandon() - end a writer; what it wrote stays in staging/ if somebody can go on with it */
void blob_abandon(struct blob_writer *writer);

/* blob_discard() - end a writer, and leave nothing of what it wrote */
void blob_discard(struct blob_writer *writer);

#define defer_blob_writer __attribute__((cleanup(blob_abandon)))

/* blob_open() - an fd on a blob, owned by the caller, and its size. Return: fd; -ENOENT with @err; -errno */
int blob_open(const struct store *store, const char *digest, uint64_t *ret_size,
	      struct err *err) MUST_CHECK;

/*
 * blob_read() - a small blob, whole and verified
 * @limit: more bytes than that are refused
 *
 * Return: 0; -ENOENT; -EIO if its bytes are not those of its name any more; -errno
 */
int blob_read(const struct store *store, struct arena *arena, const char *digest, size_t limit,
	      char **ret_text, size_t *ret_len, struct err *err) MUST_CHECK;

/* blob_verify() - read all of it. Return: 0; -ENOENT; -EIO if its bytes are not those of its name; -errno */
int blob_verify(const struct store *store, const char *digest, struct err *err) MUST_CHECK;

/* blob_damaged() - say that a blob's bytes are those of @found, and what to do about it. Return: -EIO */
int blob_damaged(const char *digest, const char *found, struct err *err);

/* blob_make() - a blob of bytes that are there already. @ret_digest: DIGEST_TEXT_MAX bytes */
int blob_make(const struct store *store, const void *bytes, size_t len, char *ret_digest,
	      struct err *err) MUST_CHECK;

#endif
