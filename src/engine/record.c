/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/record.h"

#include "base/json_write.h"
#include "os/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define RECORD_TEMPORARY ".record.json.new"
#define END_TEMPORARY    ".end.json.new"
#define RECORD_MAX_BYTES ((size_t)1024 * 1024)
#define PATH_BYTES       128 /* of "ID/record.json" */

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static void write_map(struct json_writer *w, const struct id_map *map)
{
	if (!map->size)
		return;
	json_object_begin(w, "idMap");
	json_add_u64(w, "containerID", map->container_id);
	json_add_u64(w, "hostID", map->host_id);
	json_add_u64(w, "size", map->size);
	json_object_end(w);
}

static void write_log(struct json_writer *w, const struct log_choice *log)
{
	if (!log->driver)
		return;
	json_object_begin(w, "log");
	json_add_string(w, "driver", log->driver);
	json_add_u64(w, "maxSize", log->max_size);
	json_add_u64(w, "maxFiles", log->max_files);
	json_object_end(w);
}

static void write_restart(struct json_writer *w, const struct container_record *record)
{
	if (!record->restart.policy)
		return;
	json_object_begin(w, "restart");
	json_add_string(w, "policy", record->restart.policy);
	json_add_u64(w, "max", record->restart.max);
	json_add_u64(w, "count", record->restart.count);
	json_add_u64(w, "failures", record->restart.failures);
	json_object_end(w);
	json_add_bool(w, "restarting", record->restarting);
}

static void add_if(struct json_writer *w, const char *key, uint64_t value)
{
	if (value)
		json_add_u64(w, key, value);
}

static void write_end(struct json_writer *w, const struct container_record *record)
{
	if (!record->finished)
		return;
	json_add_string(w, "finished", record->finished);
	json_add_i64(w, "exitStatus", record->exit_status);
	add_if(w, "signal", record->signal);
	add_if(w, "oomKills", record->oom_kills);
	add_if(w, "memoryLimit", record->memory_limit);
	add_if(w, "memoryPeak", record->memory_peak);
	add_if(w, "logDropped", record->log_dropped);
}

int container_record_write(struct arena *arena, int dir, const struct container_record *record,
			   struct err *err)
{
	struct json_writer w;
	size_t len;
	char *text;
	int r;

	json_writer_init(&w, arena, 2);
	json_object_begin(&w, NULL);
	json_add_u64(&w, "schema", RECORD_SCHEMA);
	json_add_string(&w, "id", record->id);
	json_add_string(&w, "name", record->name);
	json_add_string(&w, "image", record->image);
	json_add_string(&w, "imageId", record->image_id);
	json_add_string(&w, "command", record->command);
	json_add_string(&w, "created", record->created);
	json_add_string(&w, "started", record->started);
	if (record->error)
		json_add_string(&w, "error", record->error);
	json_add_bool(&w, "autoRemove", record->auto_remove);
	json_add_bool(&w, "tty", record->terminal);
	json_add_bool(&w, "openStdin", record->open_stdin);
	write_restart(&w, record);
	write_map(&w, &record->map);
	write_log(&w, &record->log);
	if (record->config)
		json_add_value(&w, "config", record->config);
	write_end(&w, record);
	json_object_end(&w);
	text = json_writer_text(&w, &len);
	r = (record->auto_remove ? os_file_replace_at : os_file_replace_durable_at)(
		dir, CONTAINER_RECORD, RECORD_TEMPORARY, text, len, 0600);
	return r < 0 ? err_set(err, r, "write the record") : 0;
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

/* 0 where there is none, or no such number */
static uint64_t read_number(const struct json *object, const char *key)
{
	uint64_t value;

	return json_u64(json_member(object, key), &value) == 0 ? value : 0;
}

static uint32_t read_id(const struct json *map, const char *key)
{
	uint64_t value = read_number(map, key);

	return value <= UINT32_MAX ? (uint32_t)value : 0;
}

static bool read_bool(const struct json *object, const char *key)
{
	const struct json *member = json_member(object, key);

	return member && member->type == JSON_BOOL && member->boolean;
}

static void read_end(const struct json *root, struct container_record *record)
{
	const struct json *status = json_member(root, "exitStatus");

	record->finished = json_string(json_member(root, "finished"));
	if (!status || json_i64(status, &record->exit_status) < 0)
		record->exit_status = -1;
	record->signal = read_number(root, "signal");
	record->log_dropped = read_number(root, "logDropped");
}

static void read_members(const struct json *root, struct container_record *record)
{
	const struct json *map = json_member(root, "idMap"), *log = json_member(root, "log");
	const struct json *restart = json_member(root, "restart");

	record->name = json_string(json_member(root, "name"));
	record->image = json_string(json_member(root, "image"));
	record->image_id = json_string(json_member(root, "imageId"));
	record->command = json_string(json_member(root, "command"));
	record->created = json_string(json_member(root, "created"));
	record->started = json_string(json_member(root, "started"));
	record->error = json_string(json_member(root, "error"));
	record->config = json_member(root, "config");
	record->auto_remove = read_bool(root, "autoRemove");
	record->oom_kills = read_number(root, "oomKills");
	record->memory_limit = read_number(root, "memoryLimit");
	record->memory_peak = read_number(root, "memoryPeak");
	if (map)
		record->map = (struct id_map){ read_id(map, "containerID"), read_id(map, "hostID"),
					       read_id(map, "size") };
	if (log)
		record->log = (struct log_choice){ json_string(json_member(log, "driver")),
						   read_number(log, "maxSize"),
						   read_number(log, "maxFiles") };
	if (restart)
		record->restart = (struct restart_choice){
			json_string(json_member(restart, "policy")), read_number(restart, "max"),
			read_number(restart, "count"), read_number(restart, "failures")
		};
	record->terminal = read_bool(root, "tty");
	record->open_stdin = read_bool(root, "openStdin");
	record->restarting = read_bool(root, "restarting");
	read_end(root, record);
}

/* Before anything else of it is believed. Schema 1 has no number. */
static int read_schema(const struct json *root, uint64_t *ret, struct err *err)
{
	const struct json *member = json_member(root, "schema");

	*ret = 1;
	if (member && json_u64(member, ret) < 0)
		return err_user(err, "its \"schema\" is no number");
	if (*ret <= RECORD_SCHEMA)
		return 0;
	err_user_code(err, -EPROTONOSUPPORT,
		      "it has the schema %llu, of a newer tare; this one knows up to %d",
		      (unsigned long long)*ret, RECORD_SCHEMA);
	return err_hint(err, "use the tare that made the container, or a newer one");
}

static int read_file(struct arena *arena, int containers, const char *id, const char *name,
		     char **ret_text, size_t *ret_len)
{
	defer_close int fd = -EBADF;
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s/%s", id, name);
	fd = openat(containers, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : os_file_read(arena, fd, RECORD_MAX_BYTES, ret_text, ret_len);
}

int container_end_read(struct arena *arena, int fd, struct container_record *ret)
{
	struct err ignored = ERR_INIT;
	const struct json *root;
	char text[END_BYTES];
	ssize_t n = pread(fd, text, sizeof(text), 0);

	/* It begins with a brace when it has been written, all of it at once. */
	if (n <= 0 || text[0] != '{' || json_parse(arena, text, (size_t)n, &root, &ignored) < 0)
		return 0;
	read_end(root, ret);
	return ret->finished != NULL;
}

static void read_end_of(struct arena *arena, int containers, const char *id,
			struct container_record *record)
{
	defer_close int fd = -EBADF;
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s/" CONTAINER_END, id);
	fd = openat(containers, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0)
		record->unsettled = container_end_read(arena, fd, record) > 0;
}

int container_record_load(struct arena *arena, int containers, const char *id,
			  struct container_record *ret, struct err *err)
{
	struct container_record record = { .id = arena_strdup(arena, id), .exit_status = -1 };
	const struct json *root;
	uint64_t schema;
	size_t len;
	char *text;
	int r = read_file(arena, containers, id, CONTAINER_RECORD, &text, &len);

	if (r == -ENOENT)
		return err_user_code(err, -ENOENT, "container %.12s does not exist", id);
	if (r < 0)
		return err_set(err, r, "read the record of container %.12s", id);
	r = json_parse(arena, text, len, &root, err);
	if (r == 0)
		r = read_schema(root, &schema, err);
	if (r < 0)
		return err_context(err, "read the record of container %.12s", id);
	read_members(root, &record);
	/* These were all started when they were made. */
	if (schema == 1)
		record.started = record.created;
	if (!record.finished)
		read_end_of(arena, containers, id, &record);
	*ret = record;
	return 0;
}

int container_end_make(int dir, struct err *err)
{
	char blank[END_BYTES];
	int fd, r;

	memset(blank, ' ', sizeof(blank));
	blank[sizeof(blank) - 1] = '\n';
	r = os_file_replace_at(dir, CONTAINER_END, END_TEMPORARY, blank, sizeof(blank), 0600);
	if (r < 0)
		return err_set(err, r, "make the file for the end of the container");
	fd = openat(dir, CONTAINER_END, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? err_sys(err, "open the file for the end of the container") : fd;
}
