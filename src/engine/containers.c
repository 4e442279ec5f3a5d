/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/containers.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/json_write.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/mount.h"
#include "os/remove.h"
#include "runtime/container.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#define NAMES_DIRECTORY    "names"
#define RECORD_TEMPORARY   ".record.json.new"
#define RECORD_MAX_BYTES   ((size_t)1024 * 1024)
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

/* Open @id below @containers and lock it. Return: 0; -ESTALE: it was removed meanwhile; -EWOULDBLOCK; -errno */
static int open_locked(int containers, const char *id, int *ret)
{
	defer_close int fd =
		openat(containers, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = os_dir_claim(fd);
	if (r < 0)
		return r;
	if (!os_is_still_at(containers, id, fd))
		return -ESTALE;
	*ret = take_fd(&fd);
	return 0;
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
		r = open_locked(containers, dir->id, &dir->fd);
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
	defer_close int containers = open_below(roots, CONTAINERS_DIRECTORY, err);
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
	struct json_writer w;
	size_t len;
	char *text;
	int r;

	json_writer_init(&w, arena, 2);
	json_object_begin(&w, NULL);
	json_add_string(&w, "id", record->id);
	json_add_string(&w, "name", record->name);
	json_add_string(&w, "image", record->image);
	json_add_string(&w, "imageId", record->image_id);
	json_add_string(&w, "command", record->command);
	json_add_string(&w, "created", record->created);
	json_add_bool(&w, "autoRemove", record->auto_remove);
	if (record->map.size) {
		json_object_begin(&w, "idMap");
		json_add_u64(&w, "containerID", record->map.container_id);
		json_add_u64(&w, "hostID", record->map.host_id);
		json_add_u64(&w, "size", record->map.size);
		json_object_end(&w);
	}
	if (record->config)
		json_add_value(&w, "config", record->config);
	if (record->finished) {
		json_add_string(&w, "finished", record->finished);
		json_add_i64(&w, "exitStatus", record->exit_status);
	}
	json_object_end(&w);
	text = json_writer_text(&w, &len);
	if (record->auto_remove)
		r = os_file_replace_at(dir->fd, CONTAINER_RECORD, RECORD_TEMPORARY, text, len,
				       0600);
	else
		r = os_file_replace_durable_at(dir->fd, CONTAINER_RECORD, RECORD_TEMPORARY, text,
					       len, 0600);
	return r < 0 ? err_set(err, r, "write the record of container %.12s", dir->id) : 0;
}

static uint32_t read_id(const struct json *map, const char *key)
{
	uint64_t value;

	return json_u64(json_member(map, key), &value) == 0 && value <= UINT32_MAX ? (uint32_t)value
										   : 0;
}

static int read_record(struct arena *arena, int containers, const char *id,
		       struct container_record *ret, struct err *err)
{
	char path[CONTAINER_ID_DIGITS + 32];
	const struct json *root, *member;
	defer_close int fd = -EBADF;
	size_t len;
	char *text;
	int r;

	snprintf(path, sizeof(path), "%s/" CONTAINER_RECORD, id);
	fd = openat(containers, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return err_user_code(err, -ENOENT, "container %.12s does not exist", id);
	if (fd < 0)
		return err_sys(err, "open the record of container %.12s", id);
	r = os_file_read(arena, fd, RECORD_MAX_BYTES, &text, &len);
	if (r < 0)
		return err_set(err, r, "read the record of container %.12s", id);
	if (json_parse(arena, text, len, &root, err) < 0)
		return err_context(err, "read the record of container %.12s", id);
	*ret = (struct container_record){
		.id = arena_strdup(arena, id),
		.name = json_string(json_member(root, "name")),
		.image = json_string(json_member(root, "image")),
		.image_id = json_string(json_member(root, "imageId")),
		.command = json_string(json_member(root, "command")),
		.created = json_string(json_member(root, "created")),
		.finished = json_string(json_member(root, "finished")),
		.config = json_member(root, "config"),
	};
	member = json_member(root, "idMap");
	if (member)
		ret->map = (struct id_map){ read_id(member, "containerID"),
					    read_id(member, "hostID"), read_id(member, "size") };
	member = json_member(root, "autoRemove");
	ret->auto_remove = member && member->type == JSON_BOOL && member->boolean;
	member = json_member(root, "exitStatus");
	if (!member || json_i64(member, &ret->exit_status) < 0)
		ret->exit_status = -1;
	return 0;
}

int containers_load(struct arena *arena, const struct roots *roots, const char *id,
		    struct container_record *ret, struct err *err)
{
	defer_close int containers = open_below(roots, CONTAINERS_DIRECTORY, err);

	return containers < 0 ? containers : read_record(arena, containers, id, ret, err);
}

/* ---- all of them -------------------------------------------------------------------------------------------------- */

static bool is_id(const char *name)
{
	return strlen(name) == CONTAINER_ID_DIGITS &&
	       strspn(name, "0123456789abcdef") == CONTAINER_ID_DIGITS;
}

/* Call @each with every id, until it returns other than 0. Return: what it returned; 0; -errno with @err */
static int each_id(int containers, int (*each)(void *arg, const char *id), void *arg,
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
	defer_close int containers = open_below(roots, CONTAINERS_DIRECTORY, err), names = -EBADF;
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
		r = each_id(containers, match, &finding, err);
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
	size_t n, size;
	void (*broken)(void *to, const char *id, const struct err *err);
	void *to;
};

static int add_to_list(void *arg, const char *id)
{
	struct listing *list = arg;
	struct container_record record;
	struct err err = ERR_INIT;
	int r = read_record(list->arena, list->containers, id, &record, &err);

	/* Without a record it is being made, or a rest. */
	if (r < 0) {
		if (r != -ENOENT)
			list->broken(list->to, id, &err);
		return 0;
	}
	if (list->n == list->size) {
		size_t size = list->size ? 2 * list->size : 16;
		struct container_record *grown = arena_array(list->arena, size, sizeof(*grown));

		if (list->n)
			memcpy(grown, list->items, list->n * sizeof(*grown));
		list->items = grown;
		list->size = size;
	}
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
	defer_close int containers = open_below(roots, CONTAINERS_DIRECTORY, err);
	struct listing list = {
		.arena = arena, .containers = containers, .broken = broken, .to = to
	};
	int r;

	if (containers < 0)
		return containers;
	r = each_id(containers, add_to_list, &list, err);
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
	defer_close int containers = open_below(roots, CONTAINERS_DIRECTORY, err);
	struct container_dir dir = CONTAINER_DIR_INIT;
	int r;

	if (containers < 0)
		return containers;
	r = open_locked(containers, id, &dir.fd);
	if (r == -ESTALE || r == -ENOENT)
		return err_user_code(err, -ENOENT, "container %.12s does not exist", id);
	if (r == -EWOULDBLOCK)
		return err_user_code(err, -EBUSY, "container %.12s is in use", id);
	if (r < 0)
		return err_set(err, r, "lock container %.12s", id);
	snprintf(dir.id, sizeof(dir.id), "%s", id);
	dir.path = arena_printf(arena, "%s/" CONTAINERS_DIRECTORY "/%s", roots->root, id);
	*ret = dir;
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
	defer_close int containers = open_below(roots, CONTAINERS_DIRECTORY, err);
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

/* ---- sweeping ----------------------------------------------------------------------------------------------------- */

struct sweep {
	const struct roots *roots;
	int containers;
	const char *oci_root; /* NULL: nobody has asked yet */
	struct arena arena;
	struct err *err;
};

/* Is there a container of the runtime's that has not ended? */
static bool runs(struct sweep *sweep, const char *id)
{
	struct err ignored = ERR_INIT;
	struct container c;

	return container_load(&sweep->arena, sweep->oci_root, id, &c, &ignored) == 0 &&
	       c.status != CONTAINER_STOPPED && !c.left_over;
}

/* Nobody saw it end: the runtime's record goes, and ours says so. */
static int settle_ended(struct sweep *sweep, const struct container_dir *dir,
			struct container_record *record)
{
	char now[TIME_RFC3339_MAX];
	int r = container_delete(sweep->oci_root, dir->id, true, NULL, sweep->err);

	if (r < 0)
		return r;
	if (record->auto_remove)
		return containers_remove(sweep->roots, dir, record->name, sweep->err);
	record->finished = time_rfc3339_now(now);
	record->exit_status = -1;
	return containers_save(&sweep->arena, dir, record, sweep->err);
}

static int sweep_one(void *arg, const char *id)
{
	defer_container_dir struct container_dir dir = CONTAINER_DIR_INIT;
	struct sweep *sweep = arg;
	struct container_record record;
	struct err ignored = ERR_INIT;

	/* Somebody is at it, or it has just gone. */
	if (open_locked(sweep->containers, id, &dir.fd) < 0)
		return 0;
	if (!sweep->oci_root)
		sweep->oci_root = containers_oci_root(&sweep->arena, sweep->roots);
	snprintf(dir.id, sizeof(dir.id), "%s", id);
	dir.path = arena_printf(&sweep->arena, "%s/" CONTAINERS_DIRECTORY "/%s", sweep->roots->root,
				id);
	if (read_record(&sweep->arena, sweep->containers, id, &record, &ignored) < 0) {
		if (ignored.code != -ENOENT)
			return 0;
		if (container_delete(sweep->oci_root, id, true, NULL, sweep->err) < 0)
			return sweep->err->code;
		return containers_remove(sweep->roots, &dir, NULL, sweep->err);
	}
	if (record.finished && !record.auto_remove)
		return 0;
	return runs(sweep, id) ? 0 : settle_ended(sweep, &dir, &record);
}

int containers_sweep(const struct roots *roots, struct err *err)
{
	defer_close int containers = open_below(roots, CONTAINERS_DIRECTORY, err);
	struct sweep sweep = { .roots = roots, .containers = containers, .err = err };
	int r;

	if (containers < 0)
		return containers;
	r = each_id(containers, sweep_one, &sweep, err);
	arena_clear(&sweep.arena);
	return r < 0 ? err_context(err, "clean up after somebody who died") : 0;
}
