/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/blob.h"

#include "image/lease.h"
#include "os/dir.h"
#include "os/file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#define BLOB_MODE 0600

/* ---- names ------------------------------------------------------------------------------------------------------ */

/* The directory and the name of a digest's blob. */
static int locate(const struct store *store, const char *digest, int *ret_dir,
		  const char **ret_name, struct err *err)
{
	enum digest_algorithm algorithm;
	const char *why;

	if (digest_parse(digest, &algorithm, ret_name, &why) < 0)
		return err_user(err, "\"%s\" is no digest: %s", digest, why);
	*ret_dir = store->blobs[algorithm];
	return 0;
}

/* Return: 1 if it is there, 0 if not; -EINVAL if it has another size than it should */
static int look_for(const struct store *store, const char *digest, uint64_t size, struct err *err)
{
	const char *name;
	struct stat st;
	int dir, r = locate(store, digest, &dir, &name, err);

	if (r < 0)
		return r;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(err, "look for blob %s", digest);
	if (size != BLOB_SIZE_UNKNOWN && (uint64_t)st.st_size != size)
		return err_user(err, "blob %s has %jd bytes and not %" PRIu64, digest,
				(intmax_t)st.st_size, size);
	return 1;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* The file in staging/, and its lock. */
static int open_staged(struct blob_writer *w, struct err *err)
{
	int dir = w->store->staging;

	for (;;) {
		defer_close int fd =
			openat(dir, w->name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, BLOB_MODE);

		if (fd < 0)
			return err_sys(err, "make \"staging/%s\"", w->name);
		if (flock(fd, LOCK_EX) < 0) {
			if (errno == EINTR)
				continue;
			return err_sys(err, "lock \"staging/%s\"", w->name);
		}
		if (os_is_still_at(dir, w->name, fd)) {
			w->fd = take_fd(&fd);
			return 0;
		}
	}
}

int blob_restart(struct blob_writer *w, struct err *err)
{
	if (ftruncate(w->fd, 0) < 0 || lseek(w->fd, 0, SEEK_SET) < 0)
		return err_sys(err, "empty \"staging/%s\"", w->name);
	hash_init(&w->hash, w->hash.algorithm);
	w->have = 0;
	return 0;
}

/* Take up what an earlier writer left. */
static int take_up(struct blob_writer *w, struct err *err)
{
	int r = hash_add_fd(&w->hash, w->fd, &w->have);

	if (r < 0)
		return err_set(err, r, "read \"staging/%s\"", w->name);
	/* Of another size it is not what it was staged for. */
	return w->have <= w->size ? 0 : blob_restart(w, err);
}

static void remove_staged(struct blob_writer *w)
{
	(void)unlinkat(w->store->staging, w->name, 0);
}

static int begin_known(struct blob_writer *w, struct err *err)
{
	int r = lease_blob(w->store, w->digest, err);

	if (r == 0)
		r = look_for(w->store, w->digest, w->size, err);
	if (r != 0)
		return r;
	memcpy(w->name, w->digest, sizeof(w->name));
	r = open_staged(w, err);
	if (r < 0)
		return r;
	/* Who had the lock before us may just have finished it. */
	r = look_for(w->store, w->digest, w->size, err);
	if (r != 0) {
		remove_staged(w);
		return r;
	}
	return take_up(w, err);
}

static int begin_unknown(struct blob_writer *w, struct err *err)
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return err_sys(err, "get a random number");
	snprintf(w->name, sizeof(w->name), "new-%016" PRIx64, number);
	return open_staged(w, err);
}

int blob_begin(const struct store *store, const char *digest, uint64_t size,
	       struct blob_writer *ret, struct err *err)
{
	defer_blob_writer struct blob_writer w = BLOB_WRITER_INIT;
	enum digest_algorithm algorithm = DIGEST_SHA256;
	const char *hex, *why;
	int r;

	w.store = store;
	w.size = size;
	if (digest) {
		if (digest_parse(digest, &algorithm, &hex, &why) < 0)
			return err_user(err, "\"%s\" is no digest: %s", digest, why);
		strcpy(w.digest, digest); /* as long as digests are */
	}
	hash_init(&w.hash, algorithm);
	r = digest ? begin_known(&w, err) : begin_unknown(&w, err);
	if (r == 0) {
		*ret = w;
		w.fd = -EBADF;
	}
	return r;
}

int blob_write(struct blob_writer *w, const void *bytes, size_t len, struct err *err)
{
	int r;

	if (w->size != BLOB_SIZE_UNKNOWN && len > w->size - w->have)
		return err_user(err, "blob %s is longer than its %" PRIu64 " bytes", w->digest,
				w->size);
	hash_add(&w->hash, bytes, len);
	r = os_write_all(w->fd, bytes, len);
	if (r < 0)
		return err_set(err, r, "write \"staging/%s\"", w->name);
	w->have += len;
	return 0;
}

ssize_t blob_reread(const struct blob_writer *w, void *buf, size_t size, uint64_t offset,
		    struct err *err)
{
	uint64_t left = w->have - offset;
	ssize_t n;

	do {
		n = pread(w->fd, buf, size < left ? size : (size_t)left, (off_t)offset);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(err, "read \"staging/%s\"", w->name);
	/* Nobody else may shorten it. */
	return n == 0 && left ? err_set(err, -EIO, "read \"staging/%s\"", w->name) : n;
}

static int check_result(struct blob_writer *w, const char *digest, struct err *err)
{
	if (w->size != BLOB_SIZE_UNKNOWN && w->have != w->size)
		return err_user_code(err, -EILSEQ, "blob %s has %" PRIu64 " bytes and not %" PRIu64,
				     w->digest, w->have, w->size);
	if (w->digest[0] && strcmp(digest, w->digest) != 0)
		return err_user_code(err, -EILSEQ, "the bytes that should be blob %s are %s",
				     w->digest, digest);
	return 0;
}

/* The bytes before the name, and the name before anybody is told. */
static int publish(struct blob_writer *w, const char *digest, struct err *err)
{
	const char *name;
	int dir, r = locate(w->store, digest, &dir, &name, err);

	if (r < 0)
		return r;
	/* One whose digest was known is leased since it began. */
	if (!w->digest[0]) {
		r = lease_blob(w->store, digest, err);
		if (r < 0)
			return r;
	}
	r = os_fsync(w->fd);
	if (r < 0)
		return err_set(err, r, "flush blob %s to the disk", digest);
	if (renameat(w->store->staging, w->name, dir, name) < 0)
		return err_sys(err, "name blob %s", digest);
	r = os_fsync(dir);
	return r < 0 ? err_set(err, r, "flush the name of blob %s to the disk", digest) : 0;
}

int blob_end(struct blob_writer *w, char *ret_digest, struct err *err)
{
	char digest[DIGEST_TEXT_MAX];
	int r;

	hash_digest(&w->hash, digest);
	r = check_result(w, digest, err);
	if (r == 0)
		r = publish(w, digest, err);
	else
		remove_staged(w);
	blob_abandon(w);
	if (r == 0 && ret_digest)
		memcpy(ret_digest, digest, sizeof(digest));
	return r;
}

void blob_abandon(struct blob_writer *w)
{
	if (w->fd < 0)
		return;
	/* Nobody else knows the name of one without a digest. */
	if (!w->digest[0])
		remove_staged(w);
	defer_close_fn(&w->fd);
	w->fd = -EBADF;
}

void blob_discard(struct blob_writer *w)
{
	if (w->fd >= 0)
		remove_staged(w);
	blob_abandon(w);
}

int blob_make(const struct store *store, const void *bytes, size_t len, char *ret_digest,
	      struct err *err)
{
	defer_blob_writer struct blob_writer w = BLOB_WRITER_INIT;
	int r = blob_begin(store, NULL, len, &w, err);

	if (r == 0)
		r = blob_write(&w, bytes, len, err);
	return r < 0 ? r : blob_end(&w, ret_digest, err);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

int blob_open(const struct store *store, const char *digest, uint64_t *ret_size, struct err *err)
{
	defer_close int fd = -EBADF;
	const char *name;
	struct stat st;
	int dir, r = locate(store, digest, &dir, &name, err);

	if (r < 0)
		return r;
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return err_user_code(err, -ENOENT, "blob %s is not in the store", digest);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "open blob %s", digest);
	*ret_size = (uint64_t)st.st_size;
	return take_fd(&fd);
}

int blob_damaged(const char *digest, const char *found, struct err *err)
{
	err_user_code(err, -EIO, "blob %s is damaged: its bytes are %s", digest, found);
	err->kind = ERR_SYSTEM;
	return err_hint(err, "tare system check --repair removes it; then pull the image again");
}

/* Its name says what its bytes must be. */
static int check_hash(struct hash *hash, const char *digest, struct err *err)
{
	char found[DIGEST_TEXT_MAX];

	hash_digest(hash, found);
	return strcmp(found, digest) == 0 ? 0 : blob_damaged(digest, found, err);
}

int blob_read(const struct store *store, struct arena *arena, const char *digest, size_t limit,
	      char **ret_text, size_t *ret_len, struct err *err)
{
	defer_close int fd = -EBADF;
	struct hash hash;
	uint64_t size;
	int r;

	fd = blob_open(store, digest, &size, err);
	if (fd < 0)
		return fd;
	if (size > limit)
		return err_user(err, "blob %s has %" PRIu64 " bytes, more than the limit of %zu",
				digest, size, limit);
	r = os_file_read(arena, fd, limit, ret_text, ret_len);
	if (r == 0)
		r = hash_init_like(&hash, digest);
	if (r < 0)
		return err_set(err, r, "read blob %s", digest);
	hash_add(&hash, *ret_text, *ret_len);
	return check_hash(&hash, digest, err);
}

int blob_verify(const struct store *store, const char *digest, struct err *err)
{
	defer_close int fd = -EBADF;
	struct hash hash;
	uint64_t size;
	int r;

	fd = blob_open(store, digest, &size, err);
	if (fd < 0)
		return fd;
	r = hash_init_like(&hash, digest);
	if (r == 0)
		r = hash_add_fd(&hash, fd, NULL);
	return r < 0 ? err_set(err, r, "read blob %s", digest) : check_hash(&hash, digest, err);
}
