/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/containers.h"

#include "engine/containers_internal.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/mount.h"
#include "os/remove.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#define NAMES_DIRECTORY    "names"
#define CONTAINER_NAME_MAX 128
#define CONTAINERS_MODE    0700

void container_dir_clear(struct container_dir *dir)
{
	defer_close_fn(&dir->fd);
	dir->fd = -EBADF;
}

const char *containers_oci_root(struct arena *arena, const struct roots *roots)
{
	return arena_printf(arena, "%s/oci", roots->runroot);
}

/* ---- directories -------------------------------------------------------------------------------------------------- */

/* ROOT/@name, made if it is missing */
static int open_below(const struct roots *roots, const char *name, struct err *err)
{
	char path[PATH_MAX];
	int r, fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", roots->root, name) >= sizeof(path))
		return err_set(err, -ENAMETOOLONG, "open \"%s\" below --root", name);
	r = os_dir_make_path(path, 0711, CONTAINERS_MODE);
	if (r < 0)
		return err_set(err, r, "make \"%s\"", path);
	fd = os_dir_open(path);
	return fd < 0 ? err_set(err, fd, "open \"%s\"", path) : fd;
}

int containers_open(const struct roots *roots, struct err *err)
{
	return open_below(roots, CONTAINERS_DIRECTORY, err);
}

static int make_id(char *id, struct err *err)
{
	unsigned char bytes[CONTAINER_ID_DIGITS / 2];
	ssize_t n = getrandom(bytes, sizeof(bytes), 0);

	if (n != (ssize_t)sizeof(bytes))
		return n < 0 ? err_sys(err, "draw an id") : err_set(err, -EIO, "draw an id");
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(id + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

void containers_name_dir(struct arena *arena, const struct roots *roots, const char *id,
			 struct container_dir *dir)
{
	snprintf(dir->id, sizeof(dir->id), "%s", id);
	dir->path = arena_printf(arena, "%s/" CONTAINERS_DIRECTORY "/%s", roots->root, id);
}

int containers_open_one(int containers, const char *id)
{
	int fd = openat(containers, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int containers_lock_one(int containers, const char *id, int fd)
{
	int r = os_dir_claim(fd);

	if (r < 0)
		return r;
	return os_is_still_at(containers, id, fd) ? 0 : -ESTALE;
}

int containers_open_locked(int containers, const char *id, int *ret)
{
	defer_close int fd = containers_open_one(containers, id);
	int r = fd < 0 ? fd : containers_lock_one(containers, id, fd);

	if (r == 0)
		*ret = take_fd(&fd);
	return r;
}

static int make_directory(struct arena *arena, const struct roots *roots, int containers,
			  struct container_dir *dir, struct err *err)
{
	int r;

	/* Between mkdir and lock somebody's sweep may take it for a rest; then there is another id. */
	do {
		r = make_id(dir->id, err);
		if (r < 0)
			return r;
		if (mkdirat(containers, dir->id, CONTAINERS_MODE) < 0)
			return err_sys(err, "make the container's directory");
		r = containers_open_locked(containers, dir->id, &dir->fd);
	} while (r == -ESTALE || r == -ENOENT || r == -EWOULDBLOCK);
	if (r < 0)
		return err_set(err, r, "lock the container's directory");
	dir->path = arena_printf(arena, "%s/" CONTAINERS_DIRECTORY "/%s", roots->root, dir->id);
	return 0;
}

/* ---- names -------------------------------------------------------------------------------------------------------- */

static int check_name(const char *name, struct err *err)
{
	size_t len = strlen(name);

	if (len >= 2 && len <= CONTAINER_NAME_MAX &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
		    len &&
	    !strchr("_.-", name[0]))
		return 0;
	err_user(err, "\"%s\" can't be a container's name", name);
	return err_hint(err, "2 to %d letters, digits and _ . -, the first a letter or a digit",
			CONTAINER_NAME_MAX);
}

/* Whose name it is. Return: 0 and *ret_id; -ENOENT, also if that container is gone; -errno */
static int read_name(int names, int containers, const char *name, char *ret_id)
{
	ssize_t n = readlinkat(names, name, ret_id, CONTAINER_ID_DIGITS + 1);
	int r;

	if (n < 0)
		return errno == EINVAL ? -ENOENT : -errno;
	if (n != CONTAINER_ID_DIGITS)
		return -ENOENT;
	ret_id[n] = '\0';
	r = os_exists_at(containers, ret_id);
	return r > 0 ? 0 : r == 0 ? -ENOENT : r;
}

/* Under the lock of the names: a link to a container that is gone may be replaced. */
static int claim_locked(int names, int containers, const char *name, const char *id,
			struct err *err)
{
	char other[CONTAINER_ID_DIGITS + 1];
	int r = read_name(names, containers, name, other);

	if (r == 0) {
		err_user_code(err, -EEXIST, "the name \"%s\" is that of container %.12s", name,
			      other);
		return err_hint(err, "remove it with tare rm %s, or give another name", name);
	}
	if (r != -ENOENT)
		return err_set(err, r, "look for the name \"%s\"", name);
	if (unlinkat(names, name, 0) < 0 && errno != ENOENT)
		return err_sys(err, "claim the name \"%s\"", name);
	return symlinkat(id, names, name) < 0 ? err_sys(err, "claim the name \"%s\"", name) : 0;
}

static int claim_name(const struct roots *roots, int containers, const char *name, const char *id,
		      struct err *err)
{
	defer_close int names = -EBADF;
	int r = check_name(name, err);

	if (r < 0)
		return r;
	names = open_below(roots, NAMES_DIRECTORY, err);
	if (names < 0)
		return names;
	while (flock(names, LOCK_EX) < 0) {
		if (errno != EINTR)
			return err_sys(err, "lock the names");
	}
	return claim_locked(names, containers, name, id, err);
}

int containers_make(struct arena *arena, const struct roots *roots, const char *name,
		    struct container_dir *ret, struct err *err)
{
	defer_container_dir struct container_dir dir = CONTAINER_DIR_INIT;
	defer_close int containers = containers_open(roots, err);
	int r;

	if (containers < 0)
		return containers;
	r = make_directory(arena, roots, containers, &dir, err);
	if (r < 0)
		return r;
	if (name && claim_name(roots, containers, name, dir.id, err) < 0) {
		(void)unlinkat(containers, dir.id, AT_REMOVEDIR);
		return err->code;
	}
	*ret = dir;
	dir.fd = -EBADF;
	return 0;
}

/* ---- records ------------------------------------------------------------------------------------------------------ */

int containers_save(struct arena *arena, const struct container_dir *dir,
		    const struct container_record *record, struct err *err)
{
	int r = container_record_write(arena, dir->fd, record, err);

	return r < 0 ? err_context(err, "container %.12s", dir->id) : 0;
}

int containers_load(struct arena *arena, const struct roots *roots, const char *id,
		    struct container_record *ret, struct err *err)
{
	defer_close int containers = containers_open(roots, err);

	return containers < 0 ? containers : container_record_load(arena, containers, id, ret, err);
}

/* ---- all of them -------------------------------------------------------------------------------------------------- */

static bool is_id(const char *name)
{
	return strlen(name) == CONTAINER_ID_DIGITS &&
	       strspn(name, "0123456789abcdef") == CONTAINER_ID_DIGITS;
}

int containers_each(int containers, int (*each)(void *arg, const char *id), void *arg,
		    struct err *err)
{
	int fd = openat(containers, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!stream) {
		err_sys(err, "list the containers");
		defer_close_fn(&fd);
		return err->code;
	}
	while (r == 0 && (entry = readdir(stream))) {
		if (is_id(entry->d_name))
			r = each(arg, entry->d_name);
	}
	closedir(stream);
	return r;
}

struct finding {
	const char *text;
	char *id, candidates[256];
	size_t n;
};

static int match(void *arg, const char *id)
{
	struct finding *finding = arg;
	size_t len;

	if (strncmp(id, finding->text, strlen(finding->text)) != 0)
		return 0;
	len = strlen(finding->candidates);
	snprintf(finding->candidates + len, sizeof(finding->candidates) - len, "%s%.12s",
		 len ? ", " : "", id);
	memcpy(finding->id, id, CONTAINER_ID_DIGITS + 1);
	finding->n++;
	return 0;
}

int containers_find(const struct roots *roots, const char *text, char *ret_id, struct err *err)
{
	defer_close int containers = containers_open(roots, err), names = -EBADF;
	struct finding finding = { .text = text, .id = ret_id };
	size_t len = strlen(text);
	int r;

	if (containers < 0)
		return containers;
	names = open_below(roots, NAMES_DIRECTORY, err);
	if (names < 0)
		return names;
	if (len && len <= CONTAINER_NAME_MAX && !strchr(text, '/') &&
	    read_name(names, containers, text, ret_id) == 0)
		return 0;
	if (len >= CONTAINER_ID_MIN && strspn(text, "0123456789abcdef") == len) {
		r = containers_each(containers, match, &finding, err);
		if (r < 0)
			return r;
	}
	if (finding.n == 1)
		return 0;
	if (finding.n == 0)
		return err_user_code(err, -ENOENT, "container \"%s\" does not exist", text);
	err_user(err, "\"%s\" could be one of %zu containers", text, finding.n);
	return err_hint(err, "%s", finding.candidates);
}

struct listing {
	struct arena *arena;
	int containers;
	struct container_record *items;
	size_t n;
	void (*broken)(void *to, const char *id, const struct err *err);
	void *to;
};

static int add_to_list(void *arg, const char *id)
{
	struct listing *list = arg;
	struct container_record record;
	struct err err = ERR_INIT;
	int r = container_record_load(list->arena, list->containers, id, &record, &err);

	/* Without a record it is being made, or a rest. */
	if (r < 0) {
		if (r != -ENOENT)
			list->broken(list->to, id, &err);
		return 0;
	}
	list->items = arena_grow(list->arena, list->items, list->n, sizeof(*list->items));
	list->items[list->n++] = record;
	return 0;
}

static int newer_first(const void *a, const void *b)
{
	const struct container_record *x = a, *y = b;

	return strcmp(y->created ? y->created : "", x->created ? x->created : "");
}

int containers_list(struct arena *arena, const struct roots *roots, struct container_record **ret,
		    size_t *ret_n, void (*broken)(void *to, const char *id, const struct err *err),
		    void *to, struct err *err)
{
	defer_close int containers = containers_open(roots, err);
	struct listing list = {
		.arena = arena, .containers = containers, .broken = broken, .to = to
	};
	int r;

	if (containers < 0)
		return containers;
	r = containers_each(containers, add_to_list, &list, err);
	if (r < 0)
		return r;
	if (list.n)
		qsort(list.items, list.n, sizeof(*list.items), newer_first);
	*ret = list.items;
	*ret_n = list.n;
	return 0;
}

int containers_lock(struct arena *arena, const struct roots *roots, const char *id,
		    struct container_dir *ret, struct err *err)
{
	defer_close int containers = containers_open(roots, err);
	struct container_dir dir = CONTAINER_DIR_INIT;
	int r;

	if (containers < 0)
		return containers;
	r = containers_open_locked(containers, id, &dir.fd);
	if (r == -ESTALE || r == -ENOENT)
		return err_user_code(err, -ENOENT, "container %.12s does not exist", id);
	if (r == -EWOULDBLOCK)
		return err_user_code(err, -EBUSY, "container %.12s is in use", id);
	if (r < 0)
		return err_set(err, r, "lock container %.12s", id);
	containers_name_dir(arena, roots, id, &dir);
	*ret = dir;
	return 0;
}

int containers_adopt(struct arena *arena, const struct roots *roots, const char *id, int lock,
		     struct container_dir *ret, struct err *err)
{
	defer_close int containers = containers_open(roots, err);
	int r;

	if (containers < 0)
		return containers;
	if (!os_is_still_at(containers, id, lock))
		return err_user_code(err, -EBUSY, "file %d is not the lock of container %.12s",
				     lock, id);
	/* Who has it already gets it again. */
	r = os_dir_claim(lock);
	if (r < 0)
		return err_user_code(err, -EBUSY, "container %.12s is in use", id);
	containers_name_dir(arena, roots, id, ret);
	ret->fd = lock;
	return 0;
}

/* ---- removing ----------------------------------------------------------------------------------------------------- */

/* Only if it is still this container's: the name may have been claimed by another since. */
static int release_name(const struct roots *roots, int containers, const char *name, const char *id,
			struct err *err)
{
	defer_close int names = open_below(roots, NAMES_DIRECTORY, err);
	char owner[CONTAINER_ID_DIGITS + 1];

	if (names < 0)
		return names;
	while (flock(names, LOCK_EX) < 0) {
		if (errno != EINTR)
			return err_sys(err, "lock the names");
	}
	if (read_name(names, containers, name, owner) == 0 && strcmp(owner, id) == 0 &&
	    unlinkat(names, name, 0) < 0 && errno != ENOENT)
		return err_sys(err, "release the name \"%s\"", name);
	return 0;
}

int containers_remove(const struct roots *roots, const struct container_dir *dir, const char *name,
		      struct err *err)
{
	defer_close int containers = containers_open(roots, err);
	char scratch[PATH_MAX];
	int r = 0;

	if (containers < 0)
		return containers;
	if (name)
		r = release_name(roots, containers, name, dir->id, err);
	if (r < 0)
		return r;
	/* Of somebody who died while he made the root filesystem (image/overlay.h) */
	if ((size_t)snprintf(scratch, sizeof(scratch), "%s/scratch", dir->path) < sizeof(scratch))
		(void)!os_umount(scratch, MNT_DETACH | UMOUNT_NOFOLLOW);
	r = os_remove_tree(containers, dir->id);
	return r < 0 && r != -ENOENT ? err_set(err, r, "remove container %.12s", dir->id) : 0;
}
