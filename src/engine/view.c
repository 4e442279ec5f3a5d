/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/view.h"

#include "base/json.h"
#include "engine/rootless.h"
#include "image/layers.h"
#include "image/lease.h"
#include "image/overlay.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/mount.h"
#include "os/path.h"
#include "runtime/container.h"
#include "spec/media_type.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

/* What is made, swept or removed is locked for a moment by who does it; longer than that it is in use. */
#define LOCK_TRIES    40
#define LOCK_PAUSE_NS 25000000

/* ---- layers ------------------------------------------------------------------------------------------------------- */

int view_layers_of(struct arena *arena, const struct roots *roots, const struct store *store,
		   const struct image *image, struct view_layers *ret, struct err *err)
{
	struct view_layers layers = { .n = image->config.diff_ids.n,
				      .user_xattrs = rootless_is_user() };

	layers.items = arena_array(arena, layers.n + 1, sizeof(*layers.items));
	for (size_t i = 0; i < layers.n; i++) {
		const struct layer_request request = {
			.blob = image->manifest.layers.items[i].digest,
			.diff_id = image->config.diff_ids.items[i],
			.limit = LAYER_BYTES_MAX,
			.options = { .user_xattrs = layers.user_xattrs },
		};
		struct layer_result result;
		char name[LAYER_NAME_MAX];

		if (layers_unpack(store, &request, &result, err) < 0 ||
		    layers_name(request.diff_id, name) < 0)
			return err->code;
		layers.items[i] = arena_printf(arena, "%s/layers/%s", roots->root, name);
	}
	*ret = layers;
	return 0;
}

int view_layers_open(const struct view_layers *layers, size_t n, struct err *err)
{
	return n ? overlay_view(layers->items, n, NULL, -EBADF, layers->user_xattrs, err) : -EBADF;
}

/* ---- a container -------------------------------------------------------------------------------------------------- */

static bool runs(const struct view *view)
{
	defer_arena struct arena arena = { 0 };
	struct err ignored = ERR_INIT;
	struct container c;

	return container_load(&arena, view->oci_root, view->record.id, &c, &ignored) == 0 &&
	       c.status != CONTAINER_STOPPED && !c.left_over;
}

static int lock(struct view *view, struct err *err)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(view->dir, LOCK_SH | LOCK_NB) == 0) {
			/* Nobody holds it, and yet it runs: who ran it was killed. */
			view->runs = runs(view);
			return 0;
		}
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(err, "lock container %.12s", view->record.id);
		view->runs = runs(view);
		if (view->runs)
			return 0;
		nanosleep(&pause, NULL);
	}
	return err_user_code(err, -EBUSY, "container %.12s is in use", view->record.id);
}

static void read_mounts(struct arena *arena, struct view *view, const struct json *root)
{
	const struct json *mounts = json_member(root, "mounts"), *mount;
	const char **items;

	if (!mounts || mounts->type != JSON_ARRAY)
		return;
	items = arena_array(arena, mounts->len + 1, sizeof(*items));
	json_each(mount, mounts) {
		const char *to = json_string(json_member(mount, "destination"));
		char *clean;

		if (!to)
			continue;
		clean = arena_alloc(arena, strlen(to) + 2);
		path_clean(to, clean);
		items[view->mounts.n++] = clean;
	}
	view->mounts.items = items;
}

static int read_config(struct arena *arena, struct view *view, struct err *err)
{
	defer_close int fd = openat(view->dir, "config.json", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	const struct json *root;
	size_t len;
	char *text;
	int r;

	if (fd < 0)
		return err_sys(err, "open the config of container %.12s", view->record.id);
	r = os_file_read(arena, fd, CONFIG_MAX_BYTES, &text, &len);
	if (r < 0)
		return err_set(err, r, "read the config of container %.12s", view->record.id);
	r = json_parse(arena, text, len, &root, err);
	if (r < 0)
		return err_context(err, "read the config of container %.12s", view->record.id);
	view->root_dir = json_string(json_member(json_member(root, "root"), "path"));
	read_mounts(arena, view, root);
	return 0;
}

/* What lease_container() has written. */
static int read_image(struct arena *arena, const struct store *store, struct view *view,
		      struct err *err)
{
	const struct platform host = image_host_platform(arena);
	char digest[DIGEST_TEXT_MAX];
	ssize_t n = os_read_at(view->dir, LEASE_IMAGE, digest, sizeof(digest));
	const struct descriptor entry = { .set = true,
					  .media_type = MEDIA_OCI_MANIFEST,
					  .digest = arena_strdup(arena, n > 0 ? digest : "") };
	int r;

	if (n == -ENOENT)
		return 0;
	if (n < 0)
		return err_set(err, (int)n, "read which image it is of");
	view->has_image = true;
	r = image_load(store, arena, &entry, &host, &view->image, err);
	if (r == 0)
		r = view_layers_of(arena, &view->roots, store, &view->image, &view->layers, err);
	return r < 0 ? err_context(err, "the image of container %.12s", view->record.id) : 0;
}

/* The way back of what the container was mapped by: its host ids become its own. */
static int open_mapping(struct arena *arena, struct view *view, struct err *err)
{
	const struct id_map *map = &view->record.map;
	const char *text;

	if (!map->size)
		return 0;
	text = arena_printf(arena, "%u %u %u\n", map->host_id, map->container_id, map->size);
	view->userns = os_idmap_ns(text, text);
	return view->userns < 0 ? err_set(err, view->userns,
					  "make a user namespace to map its ids back with")
				: 0;
}

static int open_view(struct arena *arena, const struct store *store, struct view *view,
		     const char *id, struct err *err)
{
	int r;

	view->path = arena_printf(arena, "%s/" CONTAINERS_DIRECTORY "/%s", view->roots.root, id);
	view->oci_root = containers_oci_root(arena, &view->roots);
	view->record.id = arena_strdup(arena, id);
	view->dir = os_dir_open(view->path);
	if (view->dir == -ENOENT)
		return err_user_code(err, -ENOENT, "container %.12s does not exist", id);
	if (view->dir < 0)
		return err_set(err, view->dir, "open container %.12s", id);
	r = lock(view, err);
	if (r == 0)
		r = containers_load(arena, &view->roots, id, &view->record, err);
	if (r == 0)
		r = read_config(arena, view, err);
	if (r == 0)
		r = read_image(arena, store, view, err);
	return r < 0 ? r : open_mapping(arena, view, err);
}

int view_open(struct arena *arena, const struct roots *roots, const struct store *store,
	      const char *id, struct view *ret, struct err *err)
{
	struct view view = VIEW_INIT;
	int r;

	view.roots = *roots;
	r = open_view(arena, store, &view, id, err);
	if (r < 0)
		view_clear(&view);
	else
		*ret = view;
	return r;
}

void view_clear(struct view *view)
{
	defer_close_fn(&view->dir);
	defer_close_fn(&view->userns);
	view->dir = view->userns = -EBADF;
}

/* ---- its directories ---------------------------------------------------------------------------------------------- */

/* Its root filesystem is a copy of the image, because the store is on an overlay (launch.c). */
static bool is_copy(const struct view *view)
{
	return view->has_image && os_exists_at(view->dir, "upper") == 0;
}

static int check_upper(const struct view *view, struct err *err)
{
	if (!view->has_image) {
		err_user(err,
			 "container %.12s has no image, but writes into its root filesystem "
			 "\"%s\" itself, so nobody knows what was there before",
			 view->record.id, view->root_dir ? view->root_dir : "?");
		return err_hint(err, "tare import makes an image of a directory, tare export a tar "
				     "of the container");
	}
	if (os_exists_at(view->dir, "scratch") > 0) {
		err_user(err,
			 "what container %.12s writes is in memory, where only the container "
			 "itself sees it",
			 view->record.id);
		return err_hint(err, "its store is on an overlay: give --root a directory on "
				     "another filesystem");
	}
	if (is_copy(view)) {
		err_user(err,
			 "container %.12s writes into a copy of its image, so what it wrote is "
			 "not apart from the rest",
			 view->record.id);
		return err_hint(err, "its store is on an overlay; tare export gives all of it as a "
				     "tar, of which tare import makes an image");
	}
	return 0;
}

/* A directory of the container's, with the container's ids */
static int open_own(const struct view *view, const char *name, struct err *err)
{
	struct os_mount_attr attr = { .set = MOUNT_ATTR_IDMAP, .userns = view->userns };
	defer_close int tree = -EBADF;
	bool late;
	int fd;

	if (view->userns >= 0) {
		tree = os_tree_clone_attr(view->dir, name, 0, &attr, &late);
		if (tree < 0) {
			err_set(err, tree, "map back the ids of \"%s/%s\"", view->path, name);
			return err_hint(err, "the filesystem that it is on takes no idmapped "
					     "mounts: give --root a directory on another one");
		}
	}
	fd = openat(tree >= 0 ? tree : view->dir, tree >= 0 ? "." : name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(err, "open \"%s/%s\"", view->path, name) : fd;
}

int view_upper(const struct view *view, struct err *err)
{
	return check_upper(view, err) < 0 ? err->code : open_own(view, "upper", err);
}

int view_lower(const struct view *view, struct err *err)
{
	return view_layers_open(&view->layers, view->layers.n, err);
}

int view_whole(const struct view *view, struct err *err)
{
	char upper[PATH_MAX], empty[PATH_MAX];
	const char *nothing = empty;
	int fd;

	if (!view->has_image) {
		fd = view->root_dir ? os_dir_open(view->root_dir) : -ENOENT;
		return fd < 0 ? err_set(err, fd, "open the root filesystem \"%s\"",
					view->root_dir ? view->root_dir : "?")
			      : fd;
	}
	if (is_copy(view))
		return open_own(view, "rootfs", err);
	if (check_upper(view, err) < 0)
		return err->code;
	snprintf(upper, sizeof(upper), "%s/upper", view->path);
	/* Of an image without layers: as launch.c has it */
	snprintf(empty, sizeof(empty), "%s/rootfs", view->path);
	return overlay_view(view->layers.n ? view->layers.items : &nothing,
			    view->layers.n ? view->layers.n : 1, upper, view->userns,
			    view->layers.user_xattrs, err);
}

/* It was all there if it still runs, or if nobody can have removed it: --rm does so at once, others by hand. */
int view_check(const struct view *view, struct err *err)
{
	struct container_record record;
	defer_arena struct arena arena = { 0 };
	struct err ignored = ERR_INIT;

	if (!view->runs || runs(view))
		return 0;
	if (!view->record.auto_remove && flock(view->dir, LOCK_SH | LOCK_NB) == 0 &&
	    containers_load(&arena, &view->roots, view->record.id, &record, &ignored) == 0)
		return 0;
	return err_user_code(err, -EAGAIN, "container %.12s ended while it was read",
			     view->record.id);
}
