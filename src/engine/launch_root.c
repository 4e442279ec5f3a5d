/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The root filesystem of a container that is made of an image: its layers, and what it writes above them. */
#include "engine/launch_internal.h"

#include "base/clock.h"
#include "base/num.h"
#include "image/copy.h"
#include "os/mount.h"
#include "os/remove.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- what was done ------------------------------------------------------------------------------------------------ */

void launch_note(struct launch *l, const char *name, const char *command, const char *why,
		 int64_t start_ns)
{
	if (l->n_steps == LAUNCH_STEPS_MAX)
		return;
	l->reasons[l->n_steps] = why;
	l->steps[l->n_steps++] = (struct trace_span){ name, command, start_ns, clock_wall_ns() };
}

/* ---- layers ------------------------------------------------------------------------------------------------------- */

static const char *layer_path(struct launch *l, const char *name)
{
	return arena_printf(&l->arena, "%s/layers/%s", l->roots.root, name);
}

static void note_layer(struct launch *l, const struct layer_request *request, const char *path,
		       bool was_there, int64_t start)
{
	if (was_there)
		launch_note(l, "have-layer", arena_printf(&l->arena, "ls %s", path),
			    "unpacked before; shared by all containers that have it", start);
	else if (request->map.size)
		launch_note(
			l, "copy-layer",
			arena_printf(&l->arena, "cp -a %.*s %s", (int)strcspn(path, "+"), path,
				     path),
			"with the ids of --userns, since it can't be mapped while it is mounted",
			start);
	else
		launch_note(l, "unpack-layer",
			    arena_printf(&l->arena, "tar -C %s -xf %s/images/blobs/%.6s/%s", path,
					 l->roots.root, request->blob, request->blob + 7),
			    "each byte verified by the digests of blob and content", start);
}

/*
 * @map: of the copy that is wanted; size 0: the layer itself
 *
 * The image is leased, and with it all of its layers: one that is there stays.
 * Return: 0 if it had to be made; 1 if it was there; LAUNCH_LACKS_LAYER; -errno
 */
static int prepare_layer(struct launch *l, const struct store *store, size_t i,
			 const struct id_map *map, const char **ret_path, struct err *err)
{
	struct layer_request request = {
		.blob = l->image.manifest.layers.items[i].digest,
		.diff_id = l->image.config.diff_ids.items[i],
		.limit = LAYER_BYTES_MAX,
		.options = { .user_xattrs = l->user_xattrs },
		.map = *map,
	};
	char plain[LAYER_NAME_MAX], name[LAYER_MAPPED_NAME_MAX];
	int64_t start = clock_wall_ns();
	struct layer_result result;
	int r = layers_name(request.diff_id, plain);

	if (r < 0)
		return err_user(err, "image \"%s\": \"%s\" is no digest", l->image_name,
				request.diff_id);
	snprintf(name, sizeof(name), "%s", plain);
	if (map->size)
		layers_mapped_name(plain, map, name);
	*ret_path = layer_path(l, name);
	r = layers_have(store, name, err);
	if (r == 0 && !l->unpack)
		return LAUNCH_LACKS_LAYER;
	if (r == 0)
		r = l->unpack(store, &request, &result, err);
	if (r < 0)
		return err_context(err, "image \"%s\"", l->image_name);
	note_layer(l, &request, *ret_path, r > 0, start);
	return r > 0 ? 1 : 0;
}

/*
 * Into l->layers; @ret_made: how many were not there before
 * Return: 0; LAUNCH_LACKS_LAYER; -errno
 */
static int prepare_layers(struct launch *l, const struct store *store, const struct id_map *map,
			  size_t *ret_made, struct err *err)
{
	*ret_made = 0;
	for (size_t i = 0; i < l->image.config.diff_ids.n; i++) {
		int r = prepare_layer(l, store, i, map, &l->layers[i], err);

		if (r < 0 || r == LAUNCH_LACKS_LAYER)
			return r;
		*ret_made += r == 0;
	}
	return 0;
}

int launch_layers(struct launch *l, const struct store *store, struct err *err)
{
	static const struct id_map none = { 0 };
	size_t made;

	l->layers = arena_array(&l->arena, l->image.config.diff_ids.n + 1, sizeof(*l->layers));
	return prepare_layers(l, store, &none, &made, err);
}

/* ---- the container's directory ------------------------------------------------------------------------------------ */

int launch_make_below(const struct launch *l, const char *name, mode_t mode, struct err *err)
{
	return mkdirat(l->dir.fd, name, mode) < 0 && errno != EEXIST
		       ? err_sys(err, "make \"%s/%s\"", l->dir.path, name)
		       : 0;
}

/*
 * The merged root is the upper directory's: owner and mode are the topmost layer's. With a user namespace the owner is who
 * that is on the host.
 */
static int take_over_root(const struct launch *l, const char *upper, struct err *err)
{
	struct stat st;

	/* The container may have given it another one since. */
	if (l->again)
		return 0;
	if (stat(l->top_layer, &st) < 0)
		return err_sys(err, "look at layer \"%s\"", l->top_layer);
	if (chown(upper, st.st_uid + l->map.host_id, st.st_gid + l->map.host_id) < 0 ||
	    chmod(upper, st.st_mode & 07777) < 0)
		return err_sys(err, "give \"%s\" the layer's owner and mode", upper);
	return 0;
}

/* ---- the overlay -------------------------------------------------------------------------------------------------- */

/* As mount(8) takes it, the topmost layer first */
static const char *lower_command(struct launch *l, const struct overlay *o)
{
	const char *text = "mount -t overlay overlay -o lowerdir=";

	for (size_t i = o->n_layers; i > 0; i--)
		text = arena_printf(&l->arena, "%s%s%s", text, o->layers[i - 1], i > 1 ? ":" : "");
	return text;
}

static const char *overlay_command(struct launch *l, const struct overlay *o)
{
	return arena_printf(
		&l->arena, "%s,upperdir=%s,workdir=%s%s%s,index=off,xino=auto %s/rootfs",
		lower_command(l, o), o->upper, o->work, o->throw_away ? ",volatile" : "",
		o->user_xattrs ? ",userxattr" : ",redirect_dir=off,metacopy=off", l->dir.path);
}

/* Memory in the place of upper and work. Only what nobody wants to keep may be there. */
static int mount_on_scratch(struct launch *l, struct overlay *o, struct err *err)
{
	const char *dir = arena_printf(&l->arena, "%s/scratch", l->dir.path);
	int r = launch_make_below(l, "scratch", 0700, err);

	if (r == 0)
		r = overlay_scratch(dir, err);
	if (r < 0)
		return r;
	o->upper = arena_printf(&l->arena, "%s/upper", dir);
	o->work = arena_printf(&l->arena, "%s/work", dir);
	r = take_over_root(l, o->upper, err);
	if (r == 0)
		r = l->root = overlay_mount(o, err);
	overlay_scratch_end(dir);
	if (r < 0)
		return r;
	l->warn(l->to, "the store is on an overlay, so what the container writes is in memory");
	return 0;
}

/*
 * What is to be kept can't be in memory: then the container gets a copy of its image, and its root filesystem is a directory.
 * Without "upper" beside it, whoever looks at it later knows (view.c).
 */
static int copy_image(struct launch *l, const struct overlay *o, struct err *err)
{
	int64_t start = clock_wall_ns();
	defer_close int all =
		overlay_view(o->layers, o->n_layers, NULL, -EBADF, o->user_xattrs, err);
	defer_close int root = openat(l->dir.fd, "rootfs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (all < 0)
		return err_hint(err, "give --root a directory on another filesystem");
	if (root < 0)
		return err_sys(err, "open \"%s/rootfs\"", l->dir.path);
	r = o->userns >= 0 ? copy_layer(all, root, &l->map, err) : copy_tree(all, root, err);
	if (r < 0)
		return err_context(err, "copy the image to \"%s/rootfs\"", l->dir.path);
	r = os_remove_tree(l->dir.fd, "upper");
	if (r == 0)
		r = os_remove_tree(l->dir.fd, "work");
	if (r < 0)
		return err_set(err, r, "remove what an overlay would have needed in \"%s\"",
			       l->dir.path);
	l->root = take_fd(&root);
	l->root_is_mount = false;
	l->warn(l->to, "the store is on an overlay, so the container has a copy of its image");
	launch_note(l, "copy-image",
		    arena_printf(&l->arena, "%s /mnt && cp -a /mnt/. %s/rootfs && umount /mnt",
				 lower_command(l, o), l->dir.path),
		    "the store is on an overlay, which can't be the upper directory of another one",
		    start);
	return 0;
}

/* ---- ids ---------------------------------------------------------------------------------------------------------- */

#define USERNS_SIZE 65536

/* --userns HOSTID[:SIZE], or host */
int launch_read_map(struct launch *l, struct err *err)
{
	const char *text = l->settings.userns, *colon;
	uint64_t host, size = USERNS_SIZE;
	char first[16];

	if (!text || strcmp(text, "host") == 0)
		return 0;
	colon = strchr(text, ':');
	snprintf(first, sizeof(first), "%.*s", colon ? (int)(colon - text) : 15, text);
	if (num_parse_u64(first, 1, UINT32_MAX - 1, &host) < 0 ||
	    (colon && num_parse_u64(colon + 1, 1, UINT32_MAX - 1, &size) < 0) ||
	    host + size > UINT32_MAX) {
		err_user(err, "--userns \"%s\" says no range of ids", text);
		return err_hint(
			err, "it is host, or HOSTID[:SIZE]: container id 0 is HOSTID on the host");
	}
	l->map = (struct id_map){ .host_id = (uint32_t)host, .size = (uint32_t)size };
	return 0;
}

/* Return: a user namespace to map mounts with; -EBADF if none is wanted; -errno with @err */
static int open_mapping(struct launch *l, struct err *err)
{
	const char *text;
	int fd;

	if (!l->map.size)
		return -EBADF;
	text = arena_printf(&l->arena, "0 %u %u\n", l->map.host_id, l->map.size);
	fd = os_idmap_ns(text, text);
	return fd < 0 ? err_set(err, fd, "make a user namespace to map the layers with") : fd;
}

/* ---- all of it ---------------------------------------------------------------------------------------------------- */

/* Neither every kernel nor every filesystem maps layers: a copy for each mapping, which all containers with it share. */
static int mount_copies(struct launch *l, const struct store *store, struct overlay *o,
			struct err *err)
{
	size_t made;
	int r;

	*err = ERR_INIT;
	o->userns = -EBADF;
	r = prepare_layers(l, store, &l->map, &made, err);
	if (r != 0)
		return r;
	if (made)
		l->warn(l->to, "layers can't be mapped here: the image was copied for the ids of "
			       "--userns, once for all containers that have them");
	l->root = overlay_mount(o, err);
	return l->root < 0 ? l->root : 0;
}

static int mount_some_way(struct launch *l, const struct store *store, struct overlay *o,
			  struct err *err)
{
	int r = l->root = overlay_mount(o, err);

	if (r == -EOPNOTSUPP && o->userns >= 0)
		r = mount_copies(l, store, o, err);
	if (r == -EXDEV) {
		*err = ERR_INIT;
		return l->auto_remove ? mount_on_scratch(l, o, err) : copy_image(l, o, err);
	}
	return r < 0 || l->root < 0 ? r : 0;
}

int launch_mount_root(struct launch *l, const struct store *store, struct err *err)
{
	defer_close int userns = open_mapping(l, err);
	size_t n = l->image.config.diff_ids.n;
	int64_t start = clock_wall_ns();
	struct overlay o = {
		.layers = l->layers,
		.n_layers = n ? n : 1,
		.upper = arena_printf(&l->arena, "%s/upper", l->dir.path),
		.work = arena_printf(&l->arena, "%s/work", l->dir.path),
		.place = arena_printf(&l->arena, "%s/rootfs", l->dir.path),
		.throw_away = l->auto_remove && !l->only_make && !l->again,
		.user_xattrs = l->user_xattrs,
		.userns = userns,
	};
	int r = 0;

	if (userns < 0 && l->map.size)
		return userns;
	/* An image without layers: the directory that the root is mounted on is empty, too. */
	if (n == 0)
		l->layers[0] = o.place;
	l->top_layer = l->layers[o.n_layers - 1];
	l->root_is_mount = true;
	r = launch_make_below(l, "upper", 0755, err);
	if (r == 0)
		r = launch_make_below(l, "work", 0700, err);
	if (r == 0)
		r = take_over_root(l, o.upper, err);
	if (r == 0)
		r = mount_some_way(l, store, &o, err);
	if (r != 0 || !l->root_is_mount)
		return r;
	launch_note(
		l, "mount-overlay", overlay_command(l, &o),
		"the layers, and above them what the container writes; the mount has no name until the "
		"container has it",
		start);
	return 0;
}
