/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the files are that podman, docker and we share; and reading one that need not be there. */
#ifndef TARE_REGISTRY_CONFIG_FILE_H
#define TARE_REGISTRY_CONFIG_FILE_H

#include "base/arena.h"
#include "base/err.h"

/* config_variable() - of the environment; NULL if it is empty or not set */
const char *config_variable(const char *name);

/* config_user_path() - below the user's "containers": XDG_CONFIG_HOME or ~/.config. NULL if nobody is at home */
const char *config_user_path(struct arena *arena, const char *name);

/*
 * config_cache_path() - below the "containers" of what is remembered: XDG_CACHE_HOME; for root /var/cache, for others ~/.cache
 *
 * Return: in @arena; NULL if nobody is at home
 */
const char *config_cache_path(struct arena *arena, const char *name);

/*
 * config_file_read() - all of a file
 * @dir:  directory of @name, or AT_FDCWD
 * @path: what messages call it
 *
 * Return: 1 and *ret_text, in @arena; 0 if there is no such file; -EFBIG if it has more than @limit bytes; -errno
 */
int config_file_read(struct arena *arena, int dir, const char *name, const char *path, size_t limit,
		     char **ret_text, size_t *ret_len, struct err *err) MUST_CHECK;

/* config_file_replace() - write it as a whole, with mode 0600, and make its directory if that is not there. Return: 0; -errno */
int config_file_replace(struct arena *arena, const char *path, const char *text,
			struct err *err) MUST_CHECK;

#endif
