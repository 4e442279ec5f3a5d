/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/record.h"

#include "runtime/notify.h"

#include "base/json.h"
#include "base/json_write.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/process.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

/* ---- the directory ---------------------------------------------------------------------------------------------- */

int record_root_make(const char *root)
{
	/* Sticky, for a user's: what cleans XDG_RUNTIME_DIR leaves such a directory alone (XDG Base Directory). */
	return os_dir_make_path(root, 0711, geteuid() == 0 ? 0711 : 01711);
}

int record_dir_open(const char *root, const char *id)
{
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", root, id) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int record_dir_lock(int dir)
{
	struct stat st;
	int r;

	do {
		r = flock(dir, LOCK_EX);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	/* A removed directory has no links left: whoever had the lock before us deleted the container. */
	if (fstat(dir, &st) < 0)
		return -errno;
	if (st.st_nlink == 0) {
		record_dir_unlock(dir);
		return -ENOENT;
	}
	return 0;
}

void record_dir_unlock(int dir)
{
	(void)flock(dir, LOCK_UN);
}

static int remove_files(int dir, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (unlinkat(dir, names[i], 0) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

static int remove_dirs(int dir)
{
	static const char *const names[] = { NOTIFY_DIR, RECORD_CRIU_ROOT };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (unlinkat(dir, names[i], AT_REMOVEDIR) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

int record_dir_remove(const char *root, const char *id, int dir)
{
	/* The record first: without it a directory that is still there is known to be a rest. */
	static const char *const always[] = { RECORD_FILE, RECORD_CONFIG };
	static const char *const rarely[] = { RECORD_SOCKET, RECORD_POSTSTOP, RECORD_TEMPORARY,
					      RECORD_CONFIG_TEMPORARY, NOTIFY_FILE };
	char path[PATH_MAX];
	int r;

	if (snprintf(path, sizeof(path), "%s/%s", root, id) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	r = remove_files(dir, always, ARRAY_LEN(always));
	if (r < 0)
		return r;
	if (rmdir(path) == 0 || errno == ENOENT)
		return 0;
	r = remove_files(dir, rarely, ARRAY_LEN(rarely));
	if (r == 0 || r == -ENOTDIR)
		r = remove_dirs(dir);
	if (r < 0)
		return r;
	return rmdir(path) < 0 && errno != ENOENT ? -errno : 0;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/*
 * What is false, 0 or empty is left out: a list reads hundreds of records, and half of their values would be such ones.
 * Reading takes what is not there for that.
 */
static void add_flag(struct json_writer *w, const char *key, bool value)
{
	if (value)
		json_add_bool(w, key, true);
}

static void add_cgroups(struct json_writer *w, const struct container *c)
{
	json_array_begin(w, "cgroups");
	for (size_t i = 0; i < c->n_cgroups; i++) {
		json_object_begin(w, NULL);
		json_add_string(w, "path", c->cgroups[i].path);
		json_add_string(w, "mount", c->cgroups[i].mount);
		json_add_string(w, "controllers", c->cgroups[i].controllers);
		if (c->cgroups[i].existing)
			json_add_u64(w, "existing", c->cgroups[i].existing);
		add_flag(w, "v2", c->cgroups[i].v2);
		if (c->cgroups[i].sub)
			json_add_string(w, "sub", c->cgroups[i].sub);
		json_object_end(w);
	}
	json_array_end(w);
}

static void add_rdt(struct json_writer *w, const struct container_rdt *rdt)
{
	if (!rdt->group)
		return;
	json_object_begin(w, "rdt");
	json_add_string(w, "group", rdt->group);
	if (rdt->monitor)
		json_add_string(w, "monitor", rdt->monitor);
	add_flag(w, "own", rdt->own);
	json_object_end(w);
}

static void add_stdio(struct json_writer *w, const struct container *c)
{
	const char *const *paths = c->stdio;

	if ((!paths[0] || !*paths[0]) && (!paths[1] || !*paths[1]) && (!paths[2] || !*paths[2]))
		return;
	json_array_begin(w, "stdio");
	for (size_t i = 0; i < ARRAY_LEN(c->stdio); i++)
		json_add_string(w, NULL, paths[i] ? paths[i] : "");
	json_array_end(w);
}

void record_render(struct arena *arena, const struct container *c, struct record *record)
{
	struct json_writer w;
	size_t len;
	char *text;

	json_writer_init(&w, arena, 0);
	json_object_begin(&w, NULL);
	json_add_u64(&w, "version", RECORD_VERSION);
	json_add_string(&w, "id", c->id);
	json_add_string(&w, "bundle", c->bundle);
	json_add_string(&w, "rootfs", c->rootfs);
	json_add_string(&w, "created", c->created);
	json_add_u64(&w, "owner", c->owner);
	json_add_u64(&w, "pidNamespace", c->pid_ns);
	json_add_i64(&w, "creator", c->creator);
	json_add_u64(&w, "creatorStartTime", c->creator_start_time);
	add_flag(&w, "privatePidNamespace", c->private_pid_ns);
	add_flag(&w, "process", c->has_process);
	add_flag(&w, "poststart", c->has_poststart);
	add_flag(&w, "poststop", c->has_poststop);
	add_flag(&w, "noNewKeyring", c->no_new_keyring);
	add_flag(&w, "listener", c->has_listener);
	add_flag(&w, "notify", c->has_notify);
	if (c->annotations.n) {
		json_object_begin(&w, "annotations");
		for (size_t i = 0; i < c->annotations.n; i++)
			json_add_string(&w, c->annotations.items[i].key,
					c->annotations.items[i].value);
		json_object_end(&w);
	}
	add_cgroups(&w, c);
	add_rdt(&w, &c->rdt);
	add_stdio(&w, c);
	if (c->unit.name) {
		json_object_begin(&w, "unit");
		json_add_string(&w, "name", c->unit.name);
		add_flag(&w, "user", c->unit.user);
		json_object_end(&w);
	}
	json_object_end(&w);

	/* The end of the object is left to record_write(): it adds what only the start brings out. */
	text = json_writer_text(&w, &len);
	record->text = arena_alloc(arena, len + RECORD_END_MAX);
	memcpy(record->text, text, len - 1);
	record->end = record->text + len - 1;
	record->cgroups = c->cgroups;
	record->n_cgroups = c->n_cgroups;
}

int record_write(int dir, struct record *record, const char *status, pid_t pid, struct err *err)
{
	struct os_process_stat stat;
	int r;

	if (pid > 0 && record->start_time == 0) {
		r = os_process_stat(pid, &stat);
		if (r < 0)
			return err_set(err, r, "read the start time of the container's init");
		record->start_time = stat.start_time;
	}
	snprintf(record->end, RECORD_END_MAX,
		 "%s,\"status\":\"%s\",\"pid\":%d,\"startTime\":%llu}\n",
		 record->unit_ours ? ",\"unitOurs\":true" : "", status, (int)pid,
		 (unsigned long long)record->start_time);
	r = os_file_replace_at(dir, RECORD_FILE, RECORD_TEMPORARY, record->text,
			       strlen(record->text), 0600);
	return r < 0 ? err_set(err, r, "write the state of the container") : 0;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static uint64_t number(const struct json *object, const char *key)
{
	const struct json *member = json_member(object, key);
	uint64_t value;

	return member && json_u64(member, &value) == 0 ? value : 0;
}

static bool truth(const struct json *object, const char *key)
{
	const struct json *member = json_member(object, key);

	return member && member->type == JSON_BOOL && member->boolean;
}

static const char *string(const struct json *object, const char *key)
{
	return json_string(json_member(object, key));
}

static void read_annotations(struct arena *arena, const struct json *object,
			     struct key_value_list *ret)
{
	const struct json *member;

	if (!object || object->type != JSON_OBJECT)
		return;
	ret->items = arena_array(arena, object->len, sizeof(*ret->items));
	json_each(member, object) {
		ret->items[ret->n].key = member->key;
		ret->items[ret->n++].value = json_string(member);
	}
}

static void read_cgroups(struct arena *arena, const struct json *array, struct container *ret)
{
	const struct json *item;

	if (!array || array->type != JSON_ARRAY)
		return;
	ret->cgroups = arena_array(arena, array->len, sizeof(*ret->cgroups));
	json_each(item, array) {
		struct cgroup_dir *cgroup = &ret->cgroups[ret->n_cgroups];

		cgroup->path = string(item, "path");
		cgroup->mount = string(item, "mount");
		cgroup->controllers = string(item, "controllers");
		cgroup->existing = (uint32_t)number(item, "existing");
		cgroup->v2 = truth(item, "v2");
		cgroup->sub = string(item, "sub");
		if (cgroup->path && cgroup->mount)
			ret->n_cgroups++;
	}
}

static void read_stdio(const struct json *array, struct container *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(ret->stdio); i++) {
		const char *text = array && array->type == JSON_ARRAY
					   ? json_string(json_entry(array, i))
					   : NULL;

		ret->stdio[i] = text ? text : "";
	}
}

static int decode(struct arena *arena, const struct json *root, struct container *ret,
		  struct err *err)
{
	const char *status = string(root, "status");
	const struct json *unit, *rdt;

	if (number(root, "version") != RECORD_VERSION) {
		err_user(err, "the record has version %llu, this tare-oci knows %d",
			 (unsigned long long)number(root, "version"), RECORD_VERSION);
		return err_hint(err, "use the tare-oci that created the container");
	}
	*ret = (struct container){
		.id = string(root, "id"),
		.bundle = string(root, "bundle"),
		.rootfs = string(root, "rootfs"),
		.created = string(root, "created"),
		.owner = (uint32_t)number(root, "owner"),
		.pid_ns = number(root, "pidNamespace"),
		.creator = (pid_t)number(root, "creator"),
		.creator_start_time = number(root, "creatorStartTime"),
		.pid = (pid_t)number(root, "pid"),
		.start_time = number(root, "startTime"),
		.private_pid_ns = truth(root, "privatePidNamespace"),
		.has_process = truth(root, "process"),
		.has_poststart = truth(root, "poststart"),
		.has_poststop = truth(root, "poststop"),
		.no_new_keyring = truth(root, "noNewKeyring"),
		.has_listener = truth(root, "listener"),
		.has_notify = truth(root, "notify"),
	};
	if (!ret->id || !ret->bundle || !ret->rootfs || !ret->created || !status)
		return err_user(err, "the record is incomplete");
	if (strcmp(status, "creating") == 0)
		ret->status = CONTAINER_CREATING;
	else if (strcmp(status, "created") == 0)
		ret->status = CONTAINER_CREATED;
	else
		ret->status = CONTAINER_RUNNING;
	read_annotations(arena, json_member(root, "annotations"), &ret->annotations);
	read_cgroups(arena, json_member(root, "cgroups"), ret);
	rdt = json_member(root, "rdt");
	if (rdt && rdt->type == JSON_OBJECT)
		ret->rdt = (struct container_rdt){ string(rdt, "group"), string(rdt, "monitor"),
						   truth(rdt, "own") };
	read_stdio(json_member(root, "stdio"), ret);
	unit = json_member(root, "unit");
	if (unit && unit->type == JSON_OBJECT)
		ret->unit = (struct unit){ string(unit, "name"), truth(unit, "user") };
	/* Killed before systemd had made it: a unit of that name, and who is in it, are another container's. */
	if (ret->unit.name && ret->status == CONTAINER_CREATING && !truth(root, "unitOurs")) {
		ret->unit = (struct unit){ 0 };
		ret->n_cgroups = 0;
	}
	return 0;
}

/*
 * Nearly every record comes with the first read, and its newline says that this was all: the file is never changed, only
 * replaced.
 */
static int read_text(struct arena *arena, int fd, char **ret_text, size_t *ret_len)
{
	char *text = arena_alloc(arena, RECORD_USUAL_BYTES);
	ssize_t n = pread(fd, text, RECORD_USUAL_BYTES, 0);

	if (n <= 0 || (size_t)n == RECORD_USUAL_BYTES || text[n - 1] != '\n')
		return os_file_read(arena, fd, RECORD_MAX_BYTES, ret_text, ret_len);
	*ret_text = text;
	*ret_len = (size_t)n;
	return 0;
}

int record_read(struct arena *arena, int dir, const char *path, struct container *ret,
		struct err *err)
{
	defer_close int fd = -EBADF;
	const struct json *root;
	size_t len;
	char *text;
	int r;

	fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(err, "open the record of the container");
	r = read_text(arena, fd, &text, &len);
	if (r < 0)
		return err_set(err, r, "read the record of the container");
	r = json_parse(arena, text, len, &root, err);
	if (r == 0)
		r = decode(arena, root, ret, err);
	if (r < 0) {
		/* A pointer into the record would be taken for one into config.json. */
		err->pointer[0] = '\0';
		err->line = 0;
		err_context(err, "read the record of the container");
		return -EPROTO;
	}
	return 0;
}

int record_creator(const struct container *container)
{
	return os_process_open(container->creator, container->creator_start_time);
}
