/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mounts: the default ones, --volume, --tmpfs, and the files that a container has of its engine. */
#include "engine/config_parts.h"

#include "base/size.h"
#include "engine/beside.h"
#include "engine/defaults.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static void write_mount(struct json_writer *w, const char *destination, const char *type,
			const char *source, const char *const *options)
{
	json_object_begin(w, NULL);
	json_add_string(w, "destination", destination);
	json_add_string(w, "type", type);
	json_add_string(w, "source", source);
	build_list(w, "options", options);
	json_object_end(w);
}

/* Words between commas, behind those of @before; in @arena, NULL at the end */
static const char **split_options(struct arena *arena, const char *const *before, const char *text)
{
	size_t n = 0, room = 2;
	const char **list;

	while (before[n])
		n++;
	for (const char *c = text; c && *c; c++)
		room += *c == ',';
	list = arena_array(arena, n + room, sizeof(*list));
	memcpy(list, before, n * sizeof(*list));
	while (text && *text) {
		size_t len = strcspn(text, ",");

		if (len)
			list[n++] = arena_strndup(arena, text, len);
		text += len + (text[len] == ',');
	}
	return list;
}

/* ---- the default ones --------------------------------------------------------------------------------------------- */

static bool is_same_path(const char *a, const char *b)
{
	size_t len = strlen(b);

	return strncmp(a, b, len) == 0 &&
	       (a[len] == '\0' || a[len] == ':' || strcmp(a + len, "/") == 0);
}

/* Where --volume goes: behind the first colon; "/x" alone goes there itself */
static const char *volume_destination(const char *volume)
{
	const char *colon = strchr(volume, ':');

	return colon ? colon + 1 : volume;
}

/* What somebody mounts there himself takes the place of ours. */
bool config_is_replaced(const struct settings *s, const char *destination)
{
	for (size_t i = 0; i < s->volumes.n; i++) {
		if (is_same_path(volume_destination(s->volumes.items[i]), destination))
			return true;
	}
	for (size_t i = 0; i < s->tmpfs.n; i++) {
		if (is_same_path(s->tmpfs.items[i], destination))
			return true;
	}
	return false;
}

/* Privileged: what is read-only by default is not. */
static const char **privileged_options(struct arena *arena, const char *const *options)
{
	const char **list = arena_array(arena, 10, sizeof(*list));
	size_t n = 0;

	for (; *options; options++) {
		if (strcmp(*options, "ro") != 0)
			list[n++] = *options;
	}
	list[n] = "rw";
	return list;
}

#define TERMINALS_GROUP 5

/* That group is not there in a small id map. */
static const char **without_gid(struct arena *arena, const char *const *options)
{
	const char **list = arena_array(arena, 10, sizeof(*list));
	size_t n = 0;

	for (; *options; options++) {
		if (strncmp(*options, "gid=", 4) != 0)
			list[n++] = *options;
	}
	return list;
}

static const char **with_size(struct arena *arena, const char *const *options, int64_t bytes)
{
	const char **list = arena_array(arena, 10, sizeof(*list));
	size_t n = 0;

	for (; *options; options++)
		list[n++] = strncmp(*options, "size=", 5) == 0
				    ? arena_printf(arena, "size=%lld", (long long)bytes)
				    : *options;
	return list;
}

static void write_default(struct build *b, const struct default_mount *mount)
{
	const char *const *options = mount->options;

	if (b->settings->privileged && strncmp(mount->destination, "/sys", 4) == 0)
		options = privileged_options(b->arena, options);
	if (b->settings->shm_size && strcmp(mount->destination, "/dev/shm") == 0)
		options = with_size(b->arena, options, b->shm_bytes);
	if (strcmp(mount->type, "devpts") == 0 && build_last_group(b) < TERMINALS_GROUP)
		options = without_gid(b->arena, options);
	write_mount(b->w, mount->destination, mount->type, mount->source, options);
}

static void write_defaults(struct build *b)
{
	static const char *const scratch[] = { "nosuid", "nodev", "mode=1777", NULL };
	static const char *const run[] = { "nosuid", "nodev", "mode=0755", NULL };
	const struct settings *s = b->settings;

	for (size_t i = 0; i < n_default_mounts; i++) {
		if (!config_is_replaced(s, default_mounts[i].destination))
			write_default(b, &default_mounts[i]);
	}
	if (s->strict && !config_is_replaced(s, "/tmp"))
		write_mount(b->w, "/tmp", "tmpfs", "tmpfs", scratch);
	if (s->strict && !config_is_replaced(s, "/run"))
		write_mount(b->w, "/run", "tmpfs", "tmpfs", run);
}

/* ---- files of the engine's ---------------------------------------------------------------------------------------- */

static const char *const bound[] = { "rbind", "rprivate", NULL };
static const char *const bound_readonly[] = { "rbind", "rprivate", "ro", NULL };

static void write_file(struct build *b, const char *name, const char *destination)
{
	if (!b->in->files || config_is_replaced(b->settings, destination))
		return;
	write_mount(b->w, destination, "bind", arena_printf(b->arena, "%s/%s", b->in->files, name),
		    b->settings->strict ? bound_readonly : bound);
}

/* --tz: "local", or a zone by its name */
static int write_zone(struct build *b, struct err *err)
{
	const char *zone = b->settings->tz;
	char path[PATH_MAX], resolved[PATH_MAX];

	if (!zone)
		return 0;
	snprintf(path, sizeof(path), "%s%s",
		 strcmp(zone, "local") == 0 ? "/etc/localtime" : "/usr/share/zoneinfo/",
		 strcmp(zone, "local") == 0 ? "" : zone);
	if (strstr(zone, "..") || *zone == '/' || !*zone || !realpath(path, resolved)) {
		err_user(err, "--tz \"%s\": there is no time zone of that name here", zone);
		return err_hint(err, "it is local, or a name like Europe/Berlin");
	}
	write_mount(b->w, "/etc/localtime", "bind", arena_strdup(b->arena, resolved),
		    bound_readonly);
	return 0;
}

static int write_init(struct build *b, struct err *err)
{
	const char *path;
	int r;

	if (!b->settings->init)
		return 0;
	r = beside_find(b->arena, b->settings->self, INIT_PROGRAM, &path, err);
	if (r < 0)
		return err_context(err, "--init");
	write_mount(b->w, INIT_DESTINATION, "bind", path, bound_readonly);
	return 0;
}

/* ---- --volume, --tmpfs -------------------------------------------------------------------------------------------- */

/* "SOURCE:DESTINATION[:WORDS]"; a source that is no path would be a volume's name */
static int write_volume(struct build *b, const char *text, struct err *err)
{
	const char *colon = strchr(text, ':'), *words, *source, *destination;
	char path[PATH_MAX];

	if (!colon) {
		err_user(err, "--volume \"%s\": it has no source", text);
		return err_hint(err, "it is SOURCE:DESTINATION[:WORDS]; for a directory in memory "
				     "there is --tmpfs");
	}
	source = arena_strndup(b->arena, text, (size_t)(colon - text));
	words = strchr(colon + 1, ':');
	destination = arena_strndup(b->arena, colon + 1,
				    words ? (size_t)(words - colon - 1) : strlen(colon + 1));
	if (*destination != '/')
		return err_user(err, "--volume \"%s\": the destination is no absolute path", text);
	if (*source != '/' && *source != '.') {
		err_user(err, "--volume \"%s\": \"%s\" is no path", text, source);
		return err_hint(err,
				"volumes with names are not there yet; a path begins with / or .");
	}
	if (!realpath(source, path))
		return err_sys(err, "--volume \"%s\": open the source", text);
	write_mount(b->w, destination, "bind", arena_strdup(b->arena, path),
		    split_options(b->arena, (const char *const[]){ "rbind", "rprivate", NULL },
				  words ? words + 1 : NULL));
	return 0;
}

/* "DESTINATION[:WORDS]" */
static int write_tmpfs(struct build *b, const char *text, struct err *err)
{
	static const char *const defaults[] = { "noexec", "nosuid", "nodev", "mode=1777", NULL };
	const char *colon = strchr(text, ':');
	const char *destination =
		colon ? arena_strndup(b->arena, text, (size_t)(colon - text)) : text;

	if (*destination != '/')
		return err_user(err, "--tmpfs \"%s\": the destination is no absolute path", text);
	write_mount(b->w, destination, "tmpfs", "tmpfs",
		    split_options(b->arena, defaults, colon ? colon + 1 : NULL));
	return 0;
}

int build_mounts(struct build *b, struct err *err)
{
	const struct settings *s = b->settings;
	int r = 0;

	r = s->shm_size ? build_read_size("shm-size", s->shm_size, &b->shm_bytes, err) : 0;
	if (r < 0)
		return r;
	json_array_begin(b->w, "mounts");
	write_defaults(b);
	write_file(b, "hosts", "/etc/hosts");
	write_file(b, "hostname", "/etc/hostname");
	if (b->in->has_resolv_conf)
		write_file(b, "resolv.conf", "/etc/resolv.conf");
	for (size_t i = 0; i < b->in->volumes.n; i++)
		write_mount(b->w, b->in->volumes.items[i].key, "bind",
			    b->in->volumes.items[i].value, bound);
	r = write_zone(b, err);
	for (size_t i = 0; r == 0 && i < s->tmpfs.n; i++)
		r = write_tmpfs(b, s->tmpfs.items[i], err);
	for (size_t i = 0; r == 0 && i < s->volumes.n; i++)
		r = write_volume(b, s->volumes.items[i], err);
	if (r == 0)
		r = write_init(b, err);
	json_array_end(b->w);
	return r;
}
