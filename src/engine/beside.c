/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/beside.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

static bool is_there(const char *path, char *resolved)
{
	return realpath(path, resolved) && access(resolved, X_OK) == 0;
}

/* In the directory of @self, or of the first of PATH that has one of that name */
static bool find_in_our_directory(struct arena *arena, const char *self, const char *name,
				  char *resolved)
{
	const char *slash = strrchr(self, '/'), *dir = getenv("PATH");

	if (slash)
		return is_there(arena_printf(arena, "%.*s/%s", (int)(slash - self), self, name),
				resolved);
	while (dir && *dir) {
		int len = (int)strcspn(dir, ":");

		if (access(arena_printf(arena, "%.*s/%s", len, dir, self), X_OK) == 0)
			return is_there(arena_printf(arena, "%.*s/%s", len, dir, name), resolved);
		dir += len + (dir[len] == ':');
	}
	return false;
}

int beside_find(struct arena *arena, const char *self, const char *name, const char **ret_path,
		struct err *err)
{
	char path[PATH_MAX];

	if (find_in_our_directory(arena, self, name, path) ||
	    is_there(arena_printf(arena, TARE_LIBEXECDIR "/%s", name), path)) {
		*ret_path = arena_strdup(arena, path);
		return 0;
	}
	err_user_code(err, -ENOENT, "%s is neither beside tare nor in " TARE_LIBEXECDIR, name);
	return err_hint(err, "make install puts it there");
}
