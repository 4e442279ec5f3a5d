/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/gc.h"

#include "image/layers.h"
#include "image/reach.h"
#include "image/refs.h"
#include "image/usage.h"
#include "os/dir.h"
#include "os/remove.h"
#include "os/walk.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#define ASIDE "gone-" /* names in staging/ of what was taken from its place */

struct collection {
	const struct store *store;
	const struct gc_options *options;
	struct arena *arena;
	struct usage usage; /* of all that goes; a layer's files have no names elsewhere */
	struct gc_result result;
};

static int note(struct collection *c, enum gc_kind kind, int dir, const char *entry,
		const char *name, struct err *err)
{
	uint64_t before = c->usage.bytes;
	int r = usage_add(&c->usage, dir, entry);

	if (r < 0)
		return err_set(err, r, "measure \"%s\"", name);
	c->result.n[kind]++;
	if (c->options->gone)
		c->options->gone(c->options->arg, kind, name, c->usage.bytes - before);
	return 0;
}

int gc_discard(const struct store *store, int dir, const char *name)
{
	char aside[sizeof(ASIDE) + 16];
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -errno;
	snprintf(aside, sizeof(aside), ASIDE "%016" PRIx64, number);
	return renameat(dir, name, store->staging, aside) < 0 ? -errno : 0;
}

/* ---- what has its place ----------------------------------------------------------------------------------------- */

static int take(struct collection *c, enum gc_kind kind, int dir, const char *entry,
		const char *name, struct err *err)
{
	int r = note(c, kind, dir, entry, name, err);

	if (r < 0 || c->options->dry_run)
		return r;
	r = gc_discard(c->store, dir, entry);
	return r < 0 && r != -ENOENT ? err_set(err, r, "put \"%s\" aside", name) : 0;
}

static int take_blobs(struct collection *c, const struct reach *reach, int algorithm,
		      struct err *err)
{
	int dir = c->store->blobs[algorithm];
	char **names;
	size_t n;
	int r = os_list(dir, c->arena, &names, &n);

	if (r < 0)
		return err_set(err, r, "list the blobs");
	for (size_t i = 0; r == 0 && i < n; i++) {
		const char *digest = arena_printf(
			c->arena, "%s:%s", digest_algorithm_name((enum digest_algorithm)algorithm),
			names[i]);

		if (string_map_find(&reach->blobs, digest))
			continue;
		r = take(c, string_map_find(&reach->orphans, digest) ? GC_ARTIFACT : GC_BLOB, dir,
			 names[i], digest, err);
	}
	return r;
}

static int take_layers(struct collection *c, const struct reach *reach, struct err *err)
{
	int dir = c->store->layers, r;
	char **names, name[LAYER_NAME_MAX];
	size_t n;

	r = os_list(dir, c->arena, &names, &n);
	if (r < 0)
		return err_set(err, r, "list \"layers\"");
	for (size_t i = 0; r == 0 && i < n; i++) {
		/* A copy for other ids is needed as long as the layer is. */
		if (!string_map_find(&reach->layers, layers_name_of(names[i], name)))
			r = take(c, GC_LAYER, dir, names[i], names[i], err);
	}
	return r;
}

/* What somebody who was killed under the lock left: we have it now. */
static int take_index(struct collection *c, struct err *err)
{
	int r = os_exists_at(c->store->images, STORE_TEMPORARY);

	if (r < 0)
		return err_set(err, r, "look for \"images/" STORE_TEMPORARY "\"");
	return r == 0 ? 0
		      : take(c, GC_STAGED, c->store->images, STORE_TEMPORARY, STORE_TEMPORARY, err);
}

static int take_unreached(struct collection *c, struct err *err)
{
	struct reach reach;
	int r;

	reach_init(&reach, c->store, c->arena);
	r = reach_all(&reach, err);
	/* Entries before blobs: what is listed is there. */
	if (r == 0 && reach.orphans.n && !c->options->dry_run)
		r = refs_drop(c->store, &reach.orphans, err);
	for (int i = 0; r == 0 && i < DIGEST_ALGORITHMS; i++)
		r = take_blobs(c, &reach, i, err);
	if (r == 0)
		r = take_layers(c, &reach, err);
	return r == 0 ? take_index(c, err) : r;
}

/* ---- what is in staging/ ---------------------------------------------------------------------------------------- */

/*
 * Only what has no owner, and while we are its owner: who waits for the lock of something that we remove looks again.
 * Return: fd, locked; -EAGAIN if it is another's, or is gone
 */
static int claim(int staging, const char *name)
{
	defer_close int fd = openat(staging, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || !os_is_still_at(staging, name, fd))
		return -EAGAIN;
	return take_fd(&fd);
}

static int sweep_one(struct collection *c, const char *name, struct err *err)
{
	defer_close int fd = claim(c->store->staging, name);
	bool is_ours = !strncmp(name, ASIDE, strlen(ASIDE)); /* counted when it was taken */
	int r = 0;

	if (fd < 0 || (c->options->keep_begun && !is_ours))
		return 0;
	if (!is_ours || c->options->dry_run)
		r = note(c, GC_STAGED, c->store->staging, name, name, err);
	if (r < 0 || c->options->dry_run)
		return r;
	r = os_remove_tree(c->store->staging, name);
	return r < 0 && r != -ENOENT ? err_set(err, r, "remove \"staging/%s\"", name) : 0;
}

static int sweep(struct collection *c, struct err *err)
{
	char **names;
	size_t n;
	int r = os_list(c->store->staging, c->arena, &names, &n);

	if (r < 0)
		return err_set(err, r, "list \"staging\"");
	for (size_t i = 0; r == 0 && i < n; i++)
		r = sweep_one(c, names[i], err);
	return r;
}

int gc_collect(const struct store *store, const struct gc_options *options, struct gc_result *ret,
	       struct err *err)
{
	defer_arena struct arena arena = { 0 };
	struct collection c = { .store = store, .options = options, .arena = &arena };
	int r = store_lock(store, err);

	usage_init(&c.usage, &arena);
	if (r == 0) {
		r = take_unreached(&c, err);
		store_unlock(store);
	}
	if (r == 0)
		r = sweep(&c, err);
	c.result.bytes = c.usage.bytes;
	if (r == 0)
		*ret = c.result;
	return r < 0 ? err_context(err, "collect garbage") : 0;
}
