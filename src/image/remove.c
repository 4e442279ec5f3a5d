/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/remove.h"

#include "image/image.h"
#include "image/lease.h"
#include "image/reach.h"
#include "os/dir.h"
#include "os/walk.h"
#include "spec/reference.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* ---- who needs it ----------------------------------------------------------------------------------------------- */

/* Missing blobs and damage must not keep an image from being removed. */
static int pass_over(void *arg, enum reach_fault fault, const char *digest, const char *by,
		     const struct err *why)
{
	return 0;
}

static int refuse_if_used(const struct store *store, struct arena *arena, const char *digest,
			  const char *text, struct err *err)
{
	defer_close int dir = openat(store->root, LEASE_CONTAINERS,
				     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char path[300], needs[DIGEST_TEXT_MAX];
	struct reach reach;
	char **names;
	size_t n;
	int r;

	if (dir < 0)
		return errno == ENOENT ? 0 : err_sys(err, "open \"" LEASE_CONTAINERS "\"");
	reach_init(&reach, store, arena);
	reach.fault = pass_over;
	r = reach_image(&reach, digest, text, err);
	if (r < 0)
		return r;
	r = os_list(dir, arena, &names, &n);
	if (r < 0)
		return err_set(err, r, "list \"" LEASE_CONTAINERS "\"");
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/" LEASE_IMAGE, names[i]);
		if (os_read_at(dir, path, needs, sizeof(needs)) < 0 ||
		    !string_map_find(&reach.blobs, needs))
			continue;
		err_user_code(err, -EBUSY, "image \"%s\" is in use by container %s", text,
			      names[i]);
		return err_hint(err, "tare rm %s removes the container", names[i]);
	}
	return 0;
}

/* ---- its names -------------------------------------------------------------------------------------------------- */

/* The names of one digest's entries; *ret_unnamed: it has one without a name. */
static void names_of(const struct image_index *index, struct arena *arena, const char *digest,
		     struct str_list *ret, bool *ret_unnamed)
{
	ret->n = 0;
	ret->items = arena_array(arena, index->manifests.n, sizeof(*ret->items));
	*ret_unnamed = false;
	for (size_t i = 0; i < index->manifests.n; i++) {
		const struct descriptor *entry = &index->manifests.items[i];
		const char *name = refs_name(entry);

		if (strcmp(entry->digest, digest) != 0)
			continue;
		if (name)
			ret->items[ret->n++] = name;
		else
			*ret_unnamed = true;
	}
}

/* Did a person give the name of the entry, perhaps a short form of it, and not its id? */
static bool is_by_name(struct arena *arena, const char *text, const struct descriptor *entry)
{
	const char *name = refs_name(entry), *path;
	struct reference given, has;
	struct err ignored = ERR_INIT;

	if (!name || strcmp(name, text) == 0)
		return name != NULL;
	if (reference_parse(arena, text, &given, &ignored) < 0 || given.digest ||
	    reference_parse(arena, name, &has, &ignored) < 0 || !has.tag)
		return false;
	path = has.path;
	if (strcmp(path, given.path) != 0 && !strncmp(path, "library/", 8))
		path += 8;
	return !strcmp(path, given.path) && !strcmp(has.tag, given.tag ? given.tag : "latest");
}

static int take_names(const struct store *store, const struct str_list *names, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < names->n; i++) {
		r = refs_remove(store, names->items[i], err);
		r = r == -ENOENT ? 0 : r; /* somebody else was faster */
	}
	return r;
}

int image_remove(const struct store *store, struct arena *arena, const char *text, bool force,
		 struct image_removal *ret, struct err *err)
{
	struct image_removal removal = { 0 };
	struct descriptor entry;
	struct image_index index;
	struct str_list all;
	bool unnamed;
	int r = image_find_entry(store, arena, text, &entry, err);

	if (r == 0)
		r = refs_read(store, arena, &index, err);
	if (r < 0)
		return r;
	names_of(&index, arena, entry.digest, &all, &unnamed);
	removal.names = all;
	if (is_by_name(arena, text, &entry)) {
		const char *name = refs_name(&entry);

		removal.names.n = 1;
		removal.names.items = memcpy(arena_alloc(arena, sizeof(name)), &name, sizeof(name));
	} else if (all.n > 1 && !force) {
		err_user(err, "image \"%s\" has %zu names", text, all.n);
		return err_hint(err, "remove one of them by its name, or all with --force");
	}
	if (removal.names.n == all.n) {
		r = refuse_if_used(store, arena, entry.digest, text, err);
		if (r < 0)
			return r;
		removal.digest = entry.digest;
	}
	r = take_names(store, &removal.names, err);
	if (r == 0 && removal.digest && unnamed)
		r = refs_remove_unnamed(store, entry.digest, err);
	if (r == 0)
		*ret = removal;
	return r;
}
