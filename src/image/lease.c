/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/lease.h"

#include "os/dir.h"
#include "os/file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>

struct lease {
	int fd; /* -EBADF: nothing was leased yet */
	char name[sizeof(LEASE_PREFIX) + 16];
};

int lease_new(struct lease **ret, struct err *err)
{
	struct lease *lease = malloc(sizeof(*lease));

	if (!lease)
		return err_set(err, -ENOMEM, "open the store");
	*lease = (struct lease){ .fd = -EBADF };
	*ret = lease;
	return 0;
}

void lease_free(const struct store *store, struct lease *lease)
{
	if (!lease)
		return;
	if (lease->fd >= 0)
		(void)unlinkat(store->staging, lease->name, 0);
	defer_close_fn(&lease->fd);
	free(lease);
}

/* Between its making and its locking a collection may take it for the rest of a dead one; then another is made. */
static int make_file(const struct store *store, struct lease *lease, struct err *err)
{
	uint64_t number;

	for (;;) {
		defer_close int fd = -EBADF;

		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return err_sys(err, "get a random number");
		snprintf(lease->name, sizeof(lease->name), LEASE_PREFIX "%016" PRIx64, number);
		fd = openat(store->staging, lease->name,
			    O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0)
			return err_sys(err, "make \"staging/%s\"", lease->name);
		while (flock(fd, LOCK_EX) < 0) {
			if (errno != EINTR)
				return err_sys(err, "lock \"staging/%s\"", lease->name);
		}
		if (os_is_still_at(store->staging, lease->name, fd)) {
			lease->fd = take_fd(&fd);
			return 0;
		}
	}
}

static int add_line(const struct store *store, const char *kind, const char *what, struct err *err)
{
	struct lease *lease = store->lease;
	char line[16 + DIGEST_TEXT_MAX];
	int len = snprintf(line, sizeof(line), "%s%s\n", kind, what), r = 0;

	if ((size_t)len >= sizeof(line))
		return err_user(err, "\"%s\" is too long to be leased", what);
	if (lease->fd < 0)
		r = make_file(store, lease, err);
	if (r < 0)
		return r;
	r = os_write_all(lease->fd, line, (size_t)len);
	return r < 0 ? err_set(err, r, "write \"staging/%s\"", lease->name) : 0;
}

static int keep(const struct store *store, const char *kind, const char *what, struct err *err)
{
	int r = store_lock(store, err);

	if (r < 0)
		return r;
	r = add_line(store, kind, what, err);
	store_unlock(store);
	return r;
}

int lease_blob(const struct store *store, const char *digest, struct err *err)
{
	return keep(store, LEASE_BLOB, digest, err);
}

int lease_layer(const struct store *store, const char *name, struct err *err)
{
	return keep(store, LEASE_LAYER, name, err);
}

int lease_container(int dir, const char *digest, bool throw_away, struct err *err)
{
	int (*replace)(int, const char *, const char *, const void *, size_t, mode_t) =
		throw_away ? os_file_replace_at : os_file_replace_durable_at;
	int r = replace(dir, LEASE_IMAGE, "." LEASE_IMAGE ".new", digest, strlen(digest), 0600);

	return r < 0 ? err_set(err, r, "say which image the container needs") : 0;
}
