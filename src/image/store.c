/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/store.h"

#include "base/arena.h"
#include "base/json.h"
#include "image/lease.h"
#include "os/dir.h"
#include "os/file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define STORE_MODE     0700
#define LAYOUT_FILE    "oci-layout"
#define LAYOUT_VERSION "1.0.0"
#define LAYOUT_TEXT    "{\"imageLayoutVersion\":\"" LAYOUT_VERSION "\"}\n"
#define INDEX_TEXT                                                                                 \
	"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}\n"

int store_lock(const struct store *store, struct err *err)
{
	while (flock(store->images, LOCK_EX) < 0) {
		if (errno != EINTR)
			return err_sys(err, "lock the image store");
	}
	return 0;
}

void store_unlock(const struct store *store)
{
	(void)flock(store->images, LOCK_UN);
}

void store_clear(struct store *store)
{
	int *fds[] = { &store->root,
		       &store->images,
		       &store->staging,
		       &store->layers,
		       &store->blobs[DIGEST_SHA256],
		       &store->blobs[DIGEST_SHA512] };

	lease_free(store, store->lease);
	store->lease = NULL;
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		defer_close_fn(fds[i]);
		*fds[i] = -EBADF;
	}
}

/* Open a directory of ours, made if it is missing. */
static int open_directory(int dir, const char *name, const char *what, int *ret, struct err *err)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (dir == AT_FDCWD ? 0 : O_NOFOLLOW);
	int fd = openat(dir, name, flags);

	if (fd < 0 && errno == ENOENT) {
		if (mkdirat(dir, name, STORE_MODE) < 0 && errno != EEXIST)
			return err_sys(err, "make %s \"%s\"", what, name);
		fd = openat(dir, name, flags);
	}
	if (fd < 0)
		return err_sys(err, "open %s \"%s\"", what, name);
	*ret = fd;
	return 0;
}

static int make_file(int images, const char *name, const char *text, struct err *err)
{
	int r = os_exists_at(images, name);

	if (r == 0)
		r = os_file_replace_durable_at(images, name, STORE_TEMPORARY, text, strlen(text),
					       0600);
	return r < 0 ? err_set(err, r, "make \"images/%s\"", name) : 0;
}

/* The layout's file comes last: what has it is complete. */
static int make_layout(struct store *store, struct err *err)
{
	int r = os_exists_at(store->images, LAYOUT_FILE);

	if (r > 0)
		return 0;
	r = store_lock(store, err);
	if (r < 0)
		return r;
	r = make_file(store->images, STORE_INDEX, INDEX_TEXT, err);
	if (r == 0)
		r = make_file(store->images, LAYOUT_FILE, LAYOUT_TEXT, err);
	store_unlock(store);
	return r;
}

static int check_layout(int images, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	const struct json *root;
	const char *version;
	char text[512];
	ssize_t len = os_read_at(images, LAYOUT_FILE, text, sizeof(text));

	if (len < 0)
		return err_set(err, (int)len, "read \"images/" LAYOUT_FILE "\"");
	/* As we write it: nothing to be parsed. */
	if ((size_t)len == strlen(LAYOUT_TEXT) && memcmp(text, LAYOUT_TEXT, (size_t)len) == 0)
		return 0;
	if (json_parse(&arena, text, (size_t)len, &root, err) < 0)
		return err_context(err, "read \"images/" LAYOUT_FILE "\"");
	version = json_string(json_member(root, "imageLayoutVersion"));
	if (!version || strcmp(version, LAYOUT_VERSION) != 0)
		return err_user(
			err,
			"\"images\" is an OCI layout of version %s, and only " LAYOUT_VERSION
			" is known",
			version ? version : "(none)");
	return 0;
}

static int open_all(const char *path, struct store *store, struct err *err)
{
	defer_close int blobs = -EBADF;
	int r;

	r = open_directory(AT_FDCWD, path, "the store", &store->root, err);
	if (r == 0)
		r = open_directory(store->root, "staging", "the store's directory", &store->staging,
				   err);
	if (r == 0)
		r = open_directory(store->root, "layers", "the store's directory", &store->layers,
				   err);
	if (r == 0)
		r = open_directory(store->root, "images", "the store's directory", &store->images,
				   err);
	if (r == 0)
		r = open_directory(store->images, "blobs", "the store's directory", &blobs, err);
	for (int i = 0; r == 0 && i < DIGEST_ALGORITHMS; i++)
		r = open_directory(blobs, digest_algorithm_name((enum digest_algorithm)i),
				   "the store's directory", &store->blobs[i], err);
	if (r == 0)
		r = make_layout(store, err);
	if (r == 0)
		r = lease_new(&store->lease, err);
	return r < 0 ? r : check_layout(store->images, err);
}

int store_open(const char *path, struct store *ret, struct err *err)
{
	struct store store = STORE_INIT;
	int r = open_all(path, &store, err);

	if (r < 0) {
		store_clear(&store);
		return err_context(err, "open the image store \"%s\"", path);
	}
	*ret = store;
	return 0;
}
