/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An overlay by mount(2). All options have to fit into a page there, so directories are named by the numbers of their fds, below
 * /proc/self/fd as the working directory: 500 layers take half of it.
 *
 * mount(2) needs a place to mount on, and a mapped layer one to be at. So a child does it in a mount namespace of its own, where
 * nobody sees it. It shares our files: what it has opened stays, and the detached clone of the overlay is all that is wanted.
 */
#include "base/arena.h"
#include "image/overlay_parts.h"
#include "os/mount.h"
#include "os/ns.h"
#include "os/process.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

/* A page, NUL included */
#define OPTIONS_MAX 4096

struct old {
	const struct overlay *o;
	bool is_view;    /* read-only: @top, as @top_userns has its ids, over the layers */
	const char *top; /* NULL: none */
	int top_userns;
	const char *place; /* where to mount in the child's namespace */
	struct err *err;
	char options[OPTIONS_MAX];
	size_t len;
	int *fds;
	size_t n_fds;
	int tree; /* what is made: the detached mount, or -errno */
};

static int add_text(struct old *old, const char *text)
{
	size_t len = strlen(text);

	if (len >= sizeof(old->options) - old->len)
		return err_user(old->err, "the overlay's options are longer than a page");
	memcpy(old->options + old->len, text, len + 1);
	old->len += len;
	return 0;
}

static int add_directory(struct old *old, const char *before, const char *path)
{
	char text[64];
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(old->err, "open \"%s\"", path);
	old->fds[old->n_fds++] = fd;
	snprintf(text, sizeof(text), "%s%d", before, fd);
	return add_text(old, text);
}

/* The mapped layer is mounted on the layer itself, for whom this namespace is. */
static int map_in_place(struct old *old, const char *path, int userns)
{
	defer_close int tree = overlay_map_layer(path, userns, old->err);
	int r;

	if (tree < 0)
		return tree;
	r = os_tree_attach(tree, AT_FDCWD, path);
	return r < 0 ? err_set(old->err, r, "mount the mapped layer \"%s\"", path) : 0;
}

static int add_layer(struct old *old, const char *path, int userns)
{
	int r = userns >= 0 ? map_in_place(old, path, userns) : 0;

	return r < 0 ? r : add_directory(old, old->len ? ":" : "lowerdir=", path);
}

/* lowerdir= has the topmost first. */
static int add_layers(struct old *old)
{
	const struct overlay *o = old->o;
	int r = 0;

	for (size_t i = o->n_layers; r == 0 && i > 0; i--)
		r = add_layer(old, o->layers[i - 1], o->userns);
	return r;
}

/* It is where the overlay will lie: what was there before is open. */
static int add_empty(struct old *old)
{
	defer_close int tree = os_tmpfs_empty_ro(NULL);
	int r = tree < 0 ? tree : os_tree_attach(tree, AT_FDCWD, old->place);

	if (r < 0)
		return err_set(old->err, r, "make an empty directory");
	return add_directory(old, ":", old->place);
}

static int add_view(struct old *old)
{
	int r = old->top ? add_layer(old, old->top, old->top_userns) : 0;

	if (r == 0)
		r = add_layers(old);
	/* overlayfs wants two at least. */
	if (r == 0 && old->n_fds < 2)
		r = add_empty(old);
	if (r == 0)
		r = add_text(old, ",index=off");
	if (r == 0 && old->o->user_xattrs)
		r = add_text(old, ",userxattr");
	return r;
}

static int add_options(struct old *old)
{
	const struct overlay *o = old->o;
	int r = add_layers(old);

	if (r == 0)
		r = add_directory(old, ",upperdir=", o->upper);
	if (r == 0)
		r = add_directory(old, ",workdir=", o->work);
	if (r == 0)
		r = add_text(old, ",index=off,xino=auto");
	if (r == 0 && o->throw_away)
		r = add_text(old, ",volatile");
	if (r == 0 && o->user_xattrs)
		r = add_text(old, ",userxattr");
	else if (r == 0)
		r = add_text(old, ",redirect_dir=off,metacopy=off");
	return r;
}

static int enter_namespace(struct old *old)
{
	int r = os_unshare(CLONE_NEWNS);

	if (r == 0)
		r = os_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	return r < 0 ? err_set(old->err, r, "make a mount namespace for the overlay") : 0;
}

static int mount_it(struct old *old)
{
	const struct overlay *o = old->o;
	int r = enter_namespace(old), tree;

	if (r == 0)
		r = old->is_view ? add_view(old) : add_options(old);
	if (r < 0)
		return r;
	if (chdir("/proc/self/fd") < 0)
		return err_sys(old->err, "enter /proc/self/fd");
	r = os_mount("overlay", old->place, "overlay", 0, old->options);
	/* Before 5.19 overlayfs takes no mapped layers. */
	if (r == -EINVAL && (o->userns >= 0 || (old->top && old->top_userns >= 0)))
		r = -EOPNOTSUPP;
	if (r < 0)
		return err_set(old->err, r, "mount the overlay of %zu layers", o->n_layers);
	tree = os_tree_clone(AT_FDCWD, old->place, 0);
	return tree < 0 ? err_set(old->err, tree, "detach the overlay") : tree;
}

static void run_child(void *arg)
{
	struct old *old = arg;

	old->tree = mount_it(old);
	_exit(0);
}

/* Return: the detached mount; -errno */
static int mount_in_child(struct old *old)
{
	defer_arena struct arena arena = { 0 };
	int status, r;
	pid_t pid;

	old->fds = arena_array(&arena, old->o->n_layers + 2, sizeof(int));
	old->tree = -EIO;
	pid = os_clone_shared_files(run_child, old);
	if (pid < 0)
		return err_set(old->err, (int)pid, "make a process that mounts the overlay");
	r = os_reap(pid, &status);
	for (size_t i = 0; i < old->n_fds; i++)
		close(old->fds[i]);
	if (r < 0)
		return err_set(old->err, r, "wait for the process that mounts the overlay");
	if (old->tree == -EIO && !old->err->code)
		return err_set(old->err, -EIO,
			       "mount the overlay: the process that does it was killed");
	return old->tree;
}

int overlay_mount_old(const struct overlay *o, struct err *err)
{
	struct old old = { .o = o, .err = err, .place = o->place };

	return mount_in_child(&old);
}

int overlay_view_old(const struct overlay *layers, const char *top, int userns, struct err *err)
{
	struct old old = {
		.o = layers,
		.err = err,
		.is_view = true,
		.top = top,
		.top_userns = userns,
		.place = top ? top : layers->layers[0],
	};

	return mount_in_child(&old);
}
