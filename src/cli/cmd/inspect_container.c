/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What docker's `inspect` says of a container, of its record, its config.json and the runtime's record. */
#include "cli/cmd/inspect.h"

#include "engine/log_choice.h"
#include "engine/why.h"
#include "os/file.h"
#include "runtime/container.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define NEVER "0001-01-01T00:00:00Z" /* Go's zero time */

struct subject {
	struct arena *arena;
	const struct roots *roots;
	struct container_record record;
	const struct json *config; /* config.json */
	const char *path;          /* its directory */
	const char *status;        /* docker's word */
	struct container running;  /* pid 0: it does not */
};

static const char *text_or(const char *text, const char *other)
{
	return text ? text : other;
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static int read_config(struct subject *s, struct err *err)
{
	const char *path = arena_printf(s->arena, "%s/config.json", s->path);
	defer_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t len;
	char *text;
	int r;

	if (fd < 0)
		return err_sys(err, "open \"%s\"", path);
	r = os_file_read(s->arena, fd, CONFIG_MAX_BYTES, &text, &len);
	if (r < 0)
		return err_set(err, r, "read \"%s\"", path);
	return json_parse(s->arena, text, len, &s->config, err);
}

static void look(struct subject *s)
{
	struct err ignored = ERR_INIT;
	struct container c;

	if (container_load(s->arena, containers_oci_root(s->arena, s->roots), s->record.id, &c,
			   &ignored) == 0 &&
	    (c.status == CONTAINER_RUNNING || c.status == CONTAINER_PAUSED)) {
		s->running = c;
		s->status = container_status_names[c.status];
	} else if (s->record.restarting) {
		s->status = "restarting";
	} else {
		s->status = s->record.started ? "exited" : "created";
	}
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static void write_state(struct json_writer *w, const struct subject *s)
{
	const struct container_record *r = &s->record;
	bool runs = s->running.pid > 0;

	json_object_begin(w, "State");
	json_add_string(w, "Status", s->status);
	json_add_bool(w, "Running", runs || r->restarting);
	json_add_bool(w, "Paused", runs && s->running.status == CONTAINER_PAUSED);
	json_add_bool(w, "Restarting", r->restarting);
	json_add_bool(w, "OOMKilled", !runs && r->oom_kills > 0);
	json_add_bool(w, "Dead", false);
	json_add_i64(w, "Pid", s->running.pid);
	json_add_i64(w, "ExitCode", runs || !r->finished ? 0 : r->exit_status);
	json_add_string(w, "Error", text_or(r->error, ""));
	json_add_string(w, "StartedAt", runs ? s->running.created : text_or(r->started, NEVER));
	json_add_string(w, "FinishedAt", text_or(r->finished, NEVER));
	if (!runs)
		json_add_string(w, "Why", why_text(s->arena, s->roots, r));
	json_object_end(w);
}

/* The program and its arguments apart */
static void write_program(struct json_writer *w, const struct subject *s)
{
	const struct json *args = json_member(json_member(s->config, "process"), "args"), *arg;

	json_add_string(w, "Path", text_or(json_string(json_entry(args, 0)), ""));
	json_array_begin(w, "Args");
	if (args && args->type == JSON_ARRAY) {
		json_each(arg, args) {
			if (arg->index > 0)
				json_add_value(w, NULL, arg);
		}
	}
	json_array_end(w);
}

static void write_log_config(struct json_writer *w, const struct subject *s)
{
	const struct log_choice *log = &s->record.log;

	json_object_begin(w, "LogConfig");
	json_add_string(w, "Type", text_or(log->driver, LOG_DRIVER_NONE));
	json_object_begin(w, "Config");
	if (log->driver && log->max_size)
		json_add_string(w, "max-size",
				arena_printf(s->arena, "%llu", (unsigned long long)log->max_size));
	if (log->driver)
		json_add_string(w, "max-file",
				arena_printf(s->arena, "%llu", (unsigned long long)log->max_files));
	json_object_end(w);
	json_object_end(w);
}

static void write_host_config(struct json_writer *w, const struct subject *s)
{
	const struct json *resources = json_member(json_member(s->config, "linux"), "resources");
	const struct json *memory = json_member(json_member(resources, "memory"), "limit");
	const struct json *pids = json_member(json_member(resources, "pids"), "limit");
	const struct json *readonly = json_member(json_member(s->config, "root"), "readonly");
	const struct restart_choice *restart = &s->record.restart;

	json_object_begin(w, "HostConfig");
	write_log_config(w, s);
	json_object_begin(w, "RestartPolicy");
	json_add_string(w, "Name", text_or(restart->policy, "no"));
	json_add_u64(w, "MaximumRetryCount", restart->max);
	json_object_end(w);
	json_add_bool(w, "AutoRemove", s->record.auto_remove);
	json_add_bool(w, "ReadonlyRootfs",
		      readonly && readonly->type == JSON_BOOL && readonly->boolean);
	if (memory)
		json_add_value(w, "Memory", memory);
	else
		json_add_u64(w, "Memory", 0);
	if (pids)
		json_add_value(w, "PidsLimit", pids);
	else
		json_add_null(w, "PidsLimit");
	json_object_end(w);
}

/* What the engine mounts into every container is not what somebody asked for. */
static bool is_own(const struct subject *s, const char *source)
{
	size_t len = strlen(s->path);

	return strncmp(source, s->path, len) == 0 && strncmp(source + len, "/files/", 7) == 0;
}

static void write_mount(struct json_writer *w, const struct subject *s, const struct json *mount)
{
	const char *source = json_string(json_member(mount, "source"));
	const char *type = json_string(json_member(mount, "type"));
	const struct json *options = json_member(mount, "options"), *option;
	bool writable = true;

	if (!type || strcmp(type, "bind") != 0 || !source || is_own(s, source))
		return;
	if (options && options->type == JSON_ARRAY) {
		json_each(option, options)
			writable = writable && strcmp(text_or(json_string(option), ""), "ro") != 0;
	}
	json_object_begin(w, NULL);
	json_add_string(w, "Type", type);
	json_add_string(w, "Source", source);
	json_add_string(w, "Destination",
			text_or(json_string(json_member(mount, "destination")), ""));
	json_add_bool(w, "RW", writable);
	json_object_end(w);
}

static void write_mounts(struct json_writer *w, const struct subject *s)
{
	const struct json *mounts = json_member(s->config, "mounts"), *mount;

	json_array_begin(w, "Mounts");
	if (mounts && mounts->type == JSON_ARRAY) {
		json_each(mount, mounts)
			write_mount(w, s, mount);
	}
	json_array_end(w);
}

/* As of docker the common members are there even if they are empty. */
static void write_config(struct json_writer *w, const struct subject *s)
{
	static const char *const lists[] = { "Env", "Cmd", "Entrypoint" };
	static const char *const texts[] = { "User", "WorkingDir" };
	const struct json *config = s->record.config, *member;

	json_object_begin(w, "Config");
	json_add_string(w, "Hostname",
			text_or(json_string(json_member(s->config, "hostname")), ""));
	json_add_string(w, "Image", text_or(s->record.image, ""));
	json_add_bool(w, "Tty", s->record.terminal);
	json_add_bool(w, "OpenStdin", s->record.open_stdin);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (!json_member(config, lists[i]))
			json_add_null(w, lists[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (!json_member(config, texts[i]))
			json_add_string(w, texts[i], "");
	}
	if (!json_member(config, "Labels")) {
		json_object_begin(w, "Labels");
		json_object_end(w);
	}
	if (config && config->type == JSON_OBJECT) {
		json_each(member, config)
			json_add_value(w, member->key, member);
	}
	json_object_end(w);
}

static void write_container(struct json_writer *w, const struct subject *s)
{
	const struct container_record *r = &s->record;
	const char *driver = r->log.driver;

	json_object_begin(w, NULL);
	json_add_string(w, "Id", r->id);
	json_add_string(w, "Created", text_or(r->created, NEVER));
	write_program(w, s);
	write_state(w, s);
	json_add_string(w, "Image", text_or(r->image_id, ""));
	json_add_string(w, "ResolvConfPath",
			arena_printf(s->arena, "%s/files/resolv.conf", s->path));
	json_add_string(w, "HostnamePath", arena_printf(s->arena, "%s/files/hostname", s->path));
	json_add_string(w, "HostsPath", arena_printf(s->arena, "%s/files/hosts", s->path));
	json_add_string(w, "LogPath",
			driver && strcmp(driver, LOG_DRIVER_NONE) != 0
				? arena_printf(s->arena, "%s/%s-json.log", s->path, r->id)
				: "");
	json_add_string(w, "Name", arena_printf(s->arena, "/%s", text_or(r->name, "")));
	json_add_u64(w, "RestartCount", r->restart.count);
	json_add_string(w, "Platform", "linux");
	write_host_config(w, s);
	write_mounts(w, s);
	write_config(w, s);
	json_object_end(w);
}

int inspect_container(struct arena *arena, const struct roots *roots, const char *id,
		      struct json_writer *w, struct err *err)
{
	struct subject s = {
		.arena = arena,
		.roots = roots,
		.path = arena_printf(arena, "%s/" CONTAINERS_DIRECTORY "/%s", roots->root, id),
	};
	int r = containers_load(arena, roots, id, &s.record, err);

	if (r == 0)
		r = read_config(&s, err);
	if (r < 0)
		return r;
	look(&s);
	write_container(w, &s);
	return 0;
}
