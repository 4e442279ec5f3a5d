/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/overlay.h"

#include "base/arena.h"
#include "image/overlay_parts.h"
#include "os/dir.h"
#include "os/mount.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

/* The kernel takes a string of an option up to this length, NUL included. */
#define OPTION_MAX 256

/* The mount's options, and the fds that some of them name by /proc/self/fd */
struct options {
	struct arena arena;
	struct os_fs_option *items;
	size_t n;
	int *fds;
	size_t n_fds;
};

static void options_clear(struct options *options)
{
	for (size_t i = 0; i < options->n_fds; i++)
		close(options->fds[i]);
	arena_clear(&options->arena);
}

static void add(struct options *options, const char *key, const char *value)
{
	options->items[options->n++] = (struct os_fs_option){ key, value };
}

static void add_fd(struct options *options, const char *key, int take_fd)
{
	options->fds[options->n_fds++] = take_fd;
	add(options, key, arena_printf(&options->arena, "/proc/self/fd/%d", take_fd));
}

/* By its path, which then stands in /proc/self/mountinfo for people to read; a long one by an fd. */
static int add_directory(struct options *options, const char *key, const char *path,
			 struct err *err)
{
	int fd;

	if (strlen(path) < OPTION_MAX) {
		add(options, key, path);
		return 0;
	}
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open \"%s\"", path);
	add_fd(options, key, fd);
	return 0;
}

static int add_mapped(struct options *options, const char *path, int userns, struct err *err)
{
	int fd = overlay_map_layer(path, userns, err);

	if (fd < 0)
		return fd;
	add_fd(options, "lowerdir+", fd);
	return 0;
}

/* lowerdir+ puts the next layer below those before it. */
static int add_layers(struct options *options, const struct overlay *o, struct err *err)
{
	int r = 0;

	for (size_t i = o->n_layers; r == 0 && i > 0; i--) {
		if (o->userns >= 0)
			r = add_mapped(options, o->layers[i - 1], o->userns, err);
		else
			r = add_directory(options, "lowerdir+", o->layers[i - 1], err);
	}
	return r;
}

static int add_writable(struct options *options, const struct overlay *o, struct err *err)
{
	int r = add_directory(options, "upperdir", o->upper, err);

	return r < 0 ? r : add_directory(options, "workdir", o->work, err);
}

static bool is_overlay(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == OVERLAYFS_SUPER_MAGIC;
}

int overlay_map_layer(const char *path, int userns, struct err *err)
{
	struct os_mount_attr attr = { .set = MOUNT_ATTR_IDMAP, .userns = userns };
	bool late;
	int fd = os_tree_clone_attr(AT_FDCWD, path, 0, &attr, &late);

	/* Before Linux 5.12, and a filesystem that can't. */
	if (fd == -ENOSYS || fd == -EINVAL)
		fd = -EOPNOTSUPP;
	return fd < 0 ? err_set(err, fd, "map the ids of layer \"%s\"", path) : fd;
}

/* Layer by layer: Linux 6.7, and 6.15 for mapped ones */
static int mount_by_layers(const struct overlay *o, char *message, size_t size, struct err *err)
{
	__attribute__((cleanup(options_clear))) struct options options = { .n = 0 };
	int r, fd;

	message[0] = '\0';
	options.items = arena_array(&options.arena, o->n_layers + 10, sizeof(*options.items));
	options.fds = arena_array(&options.arena, o->n_layers + 2, sizeof(int));
	add(&options, "source", "overlay");
	r = add_layers(&options, o, err);
	if (r == 0)
		r = add_writable(&options, o, err);
	if (r < 0)
		return r;
	/*
	 * An inode index would tie the layers to this one container, and xino must not be taken for granted with filesystems
	 * of 64-bit inode numbers: both are said, since distributions build other defaults into their kernels.
	 */
	add(&options, "index", "off");
	add(&options, "xino", "auto");
	/* A part of what is written would be told by another layer, and upper alone could not be committed. */
	if (!o->user_xattrs) {
		add(&options, "redirect_dir", "off");
		add(&options, "metacopy", "off");
	}
	if (o->throw_away)
		add(&options, "volatile", NULL);
	if (o->user_xattrs)
		add(&options, "userxattr", NULL);
	fd = os_fs_new_options("overlay", options.items, options.n, message, size);
	return fd < 0 ? err_set(err, fd, "mount the overlay of %zu layers", o->n_layers) : fd;
}

int overlay_mount(const struct overlay *o, struct err *err)
{
	struct err first;
	char message[256];
	int fd;

	if (o->n_layers > OVERLAY_LAYERS_MAX)
		return err_user(err, "overlayfs takes no more than %d layers, and there are %zu",
				OVERLAY_LAYERS_MAX, o->n_layers);
	fd = mount_by_layers(o, message, sizeof(message), err);
	if (fd != -EINVAL)
		return fd < 0 && message[0] ? err_hint(err, "%s", message) : fd;
	if (is_overlay(o->upper))
		return err_set(err, -EXDEV, "mount the overlay: \"%s\" is on an overlay itself",
			       o->upper);
	/* Or it does not know lowerdir+, or detached layers. If it can't be done so either, the newer way knows why. */
	first = *err;
	*err = ERR_INIT;
	fd = overlay_mount_old(o, err);
	if (fd != -EINVAL)
		return fd;
	*err = first;
	return message[0] ? err_hint(err, "%s", message) : first.code;
}

static int add_view(struct options *options, const struct overlay *o, const char *top, int userns,
		    struct err *err)
{
	int r = 0, empty;

	if (top)
		r = userns >= 0 ? add_mapped(options, top, userns, err)
				: add_directory(options, "lowerdir+", top, err);
	if (r == 0)
		r = add_layers(options, o, err);
	/* overlayfs wants two at least. */
	if (r < 0 || o->n_layers + (top ? 1 : 0) > 1)
		return r;
	empty = os_tmpfs_empty_ro(NULL);
	if (empty < 0)
		return err_set(err, empty, "make an empty directory");
	add_fd(options, "lowerdir+", empty);
	return 0;
}

int overlay_view(const char *const *layers, size_t n_layers, const char *top, int userns,
		 bool user_xattrs, struct err *err)
{
	__attribute__((cleanup(options_clear))) struct options options = { .n = 0 };
	const struct overlay o = {
		.layers = layers, .n_layers = n_layers, .userns = -EBADF, .user_xattrs = user_xattrs
	};
	defer_close int mount = -EBADF;
	struct err old = ERR_INIT;
	char message[256];
	int r;

	options.items = arena_array(&options.arena, n_layers + 5, sizeof(*options.items));
	options.fds = arena_array(&options.arena, n_layers + 2, sizeof(int));
	add(&options, "source", "overlay");
	r = add_view(&options, &o, top, userns, err);
	if (r < 0)
		return r;
	add(&options, "index", "off");
	if (user_xattrs)
		add(&options, "userxattr", NULL);
	mount = os_fs_new_options("overlay", options.items, options.n, message, sizeof(message));
	/* If it can't be done the older way either, the newer one knows why. */
	r = mount;
	if (r == -EINVAL)
		mount = overlay_view_old(&o, top, userns, &old);
	if (mount < 0) {
		err_set(err, r, "look through %zu layers", n_layers);
		return message[0] ? err_hint(err, "%s", message) : r;
	}
	r = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return r < 0 ? err_sys(err, "open the root of the layers") : r;
}

int overlay_scratch(const char *dir, struct err *err)
{
	char path[4096];
	int r = os_mount("tmpfs", dir, "tmpfs", MS_NODEV | MS_NOSUID, "mode=0700");

	if (r < 0)
		return err_set(err, r, "mount a tmpfs for the container's files on \"%s\"", dir);
	for (int i = 0; r == 0 && i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, i ? "work" : "upper");
		r = os_dir_make(path, i ? 0700 : 0755);
	}
	if (r < 0) {
		overlay_scratch_end(dir);
		return err_set(err, r, "make \"%s\"", path);
	}
	return 0;
}

void overlay_scratch_end(const char *dir)
{
	(void)!os_umount(dir, MNT_DETACH);
}
