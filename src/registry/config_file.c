/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/config_file.h"

#include "os/dir.h"
#include "os/file.h"
#include "os/ns.h"

#include <fcntl.h>
#include <libgen.h>
#include <string.h>

const char *config_variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

const char *config_user_path(struct arena *arena, const char *name)
{
	const char *config = config_variable("XDG_CONFIG_HOME"), *home = config_variable("HOME");

	if (config)
		return arena_printf(arena, "%s/containers/%s", config, name);
	return home ? arena_printf(arena, "%s/.config/containers/%s", home, name) : NULL;
}

const char *config_cache_path(struct arena *arena, const char *name)
{
	const char *cache = config_variable("XDG_CACHE_HOME"), *home = config_variable("HOME");

	if (cache)
		return arena_printf(arena, "%s/containers/%s", cache, name);
	if (geteuid() == 0 && !getenv(ROOTLESS_ENV))
		return arena_printf(arena, "/var/cache/containers/%s", name);
	return home ? arena_printf(arena, "%s/.cache/containers/%s", home, name) : NULL;
}

int config_file_read(struct arena *arena, int dir, const char *name, const char *path, size_t limit,
		     char **ret_text, size_t *ret_len, struct err *err)
{
	defer_close int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return err_sys(err, "open \"%s\"", path);
	r = os_file_read(arena, fd, limit, ret_text, ret_len);
	return r < 0 ? err_set(err, r, "read \"%s\"", path) : 1;
}

int config_file_replace(struct arena *arena, const char *path, const char *text, struct err *err)
{
	const char *dir = dirname(arena_strdup(arena, path));
	const char *name = basename(arena_strdup(arena, path));
	const char *temporary = arena_printf(arena, ".%s.%d", name, getpid());
	defer_close int fd = -EBADF;
	int r = os_dir_make_path(dir, 0755, 0700);

	if (r < 0)
		return err_set(err, r, "make the directory \"%s\"", dir);
	fd = os_dir_open(dir);
	if (fd < 0)
		return err_set(err, fd, "open the directory \"%s\"", dir);
	r = os_file_replace_durable_at(fd, name, temporary, text, strlen(text), 0600);
	return r < 0 ? err_set(err, r, "write \"%s\"", path) : 0;
}
