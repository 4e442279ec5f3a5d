/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/config_file.h"

#include "os/file.h"

#include <fcntl.h>

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
