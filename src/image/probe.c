/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/probe.h"

#include "base/arena.h"
#include "image/overlay.h"
#include "os/dir.h"
#include "os/mount.h"
#include "os/remove.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

/* A volatile overlay's work directory serves once. */
static const char *const parts[] = { "lower", "place",        "upper",
				     "work",  "upper-mapped", "work-mapped" };

/* A directory in staging/, locked, with the parts in it. Return: its fd, which holds the lock; -errno with @err */
static int make_place(const struct store *store, const char *name, struct err *err)
{
	defer_close int dir = -EBADF;

	if (mkdirat(store->staging, name, 0700) < 0)
		return err_sys(err, "make \"staging/%s\"", name);
	dir = openat(store->staging, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || flock(dir, LOCK_EX | LOCK_NB) < 0)
		return err_sys(err, "lock \"staging/%s\"", name);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (mkdirat(dir, parts[i], 0755) < 0)
			return err_sys(err, "make \"staging/%s/%s\"", name, parts[i]);
	}
	return take_fd(&dir);
}

/* Return: 1 if it can be mounted so, 0 if it can't; -errno with @err */
static int try_overlay(struct arena *arena, const char *place, bool user_xattrs, int userns,
		       struct err *err)
{
	const char *lower = arena_printf(arena, "%s/lower", place),
		   *suffix = userns >= 0 ? "-mapped" : "";
	const struct overlay o = {
		.layers = &lower,
		.n_layers = 1,
		.upper = arena_printf(arena, "%s/upper%s", place, suffix),
		.work = arena_printf(arena, "%s/work%s", place, suffix),
		.place = arena_printf(arena, "%s/place", place),
		.throw_away = true,
		.user_xattrs = user_xattrs,
		.userns = userns,
	};
	int r = overlay_mount(&o, err);

	if (r >= 0) {
		close(r);
		return 1;
	}
	if (r != -EXDEV && r != -EOPNOTSUPP)
		return r;
	*err = ERR_INIT;
	return 0;
}

static int try_both(struct arena *arena, const char *place, bool user_xattrs,
		    struct overlay_means *ret, struct err *err)
{
	defer_close int userns = -EBADF;
	int r = try_overlay(arena, place, user_xattrs, -EBADF, err);

	if (r <= 0)
		return r;
	ret->upper = true;
	/* Root of a namespace with one id may make none. */
	userns = os_idmap_ns("0 1 1\n", "0 1 1\n");
	if (userns < 0)
		return 0;
	r = try_overlay(arena, place, user_xattrs, userns, err);
	ret->mapped = r > 0;
	return r < 0 ? r : 0;
}

int overlay_probe(const struct store *store, const char *root, bool user_xattrs,
		  struct overlay_means *ret, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	const char *name = arena_printf(&arena, "probe-%d", (int)getpid());
	defer_close int dir = make_place(store, name, err);
	int r = dir, removed;

	*ret = (struct overlay_means){ false, false };
	if (r >= 0)
		r = try_both(&arena, arena_printf(&arena, "%s/staging/%s", root, name), user_xattrs,
			     ret, err);
	removed = os_remove_tree(store->staging, name);
	if (r == 0 && removed < 0)
		return err_set(err, removed, "remove \"staging/%s\"", name);
	return r;
}
