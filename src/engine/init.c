/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/init.h"

#include <limits.h>
#include <string.h>

#define PROGRAM "tare-init"

static bool is_there(const char *path, char *resolved)
{
	return realpath(path, resolved) && access(resolved, X_OK) == 0;
}

/* In the directory of @self, or of the first of PATH that has one of that name */
static bool find_beside(struct arena *arena, const char *self, char *resolved)
{
	const char *slash = strrchr(self, '/'), *dir = getenv("PATH");

	if (slash)
		return is_there(arena_printf(arena, "%.*s/" PROGRAM, (int)(slash - self), self),
				resolved);
	while (dir && *dir) {
		int len = (int)strcspn(dir, ":");

		if (access(arena_printf(arena, "%.*s/%s", len, dir, self), X_OK) == 0)
			return is_there(arena_printf(arena, "%.*s/" PROGRAM, len, dir), resolved);
		dir += len + (dir[len] == ':');
	}
	return false;
}

int init_program(struct arena *arena, const char *self, const char **ret_path, struct err *err)
{
	char path[PATH_MAX];

	if (find_beside(arena, self, path) || is_there(TARE_LIBEXECDIR "/" PROGRAM, path)) {
		*ret_path = arena_strdup(arena, path);
		return 0;
	}
	err_user_code(err, -ENOENT,
		      "--init: " PROGRAM " is neither beside tare nor in " TARE_LIBEXECDIR);
	return err_hint(err, "make install puts it there");
}
