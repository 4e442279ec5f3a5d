/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/volumes.h"

#include "engine/config.h"
#include "image/copy.h"
#include "os/path.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define VOLUMES "volumes"

/* Without slashes at the end. Return: 0; -EINVAL */
static int normalize(struct arena *arena, const char *given, const char **ret, struct err *err)
{
	size_t len = strlen(given);

	while (len > 1 && given[len - 1] == '/')
		len--;
	if (*given != '/' || len < 2)
		return err_user(err, "the image's volume \"%s\" is no directory below /", given);
	*ret = arena_strndup(arena, given, len);
	return 0;
}

/* What the image has there; nothing, and the directory is root's, if it has nothing. */
static int fill(const struct volumes_request *q, const char *destination, int volume,
		struct err *err)
{
	defer_close int from = os_open_in_root(q->root, destination, O_RDONLY | O_DIRECTORY, 0);

	if (from == -ENOENT || from == -ENOTDIR)
		return fchown(volume, q->host_root, q->host_root) < 0
			       ? err_sys(err, "give the volume to the container's root")
			       : 0;
	return from < 0 ? err_set(err, from, "open \"%s\" of the image", destination)
			: copy_tree(from, volume, err);
}

static int make_one(struct arena *arena, const struct volumes_request *q, const char *destination,
		    struct key_value_list *list, struct err *err)
{
	defer_close int volume = -EBADF;
	char name[sizeof(VOLUMES) + 24];

	snprintf(name, sizeof(name), VOLUMES "/%zu", list->n);
	if (mkdirat(q->dir->fd, name, 0755) < 0)
		return err_sys(err, "make \"%s/%s\"", q->dir->path, name);
	volume = openat(q->dir->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (volume < 0)
		return err_sys(err, "open \"%s/%s\"", q->dir->path, name);
	list->items[list->n++] =
		(struct key_value){ destination, arena_printf(arena, "%s/%s", q->dir->path, name) };
	return fill(q, destination, volume, err) < 0
		       ? err_context(err, "fill the volume \"%s\"", destination)
		       : 0;
}

int volumes_make(struct arena *arena, const struct volumes_request *q, struct key_value_list *ret,
		 struct err *err)
{
	const struct str_list *given = q->destinations;
	const char *destination = NULL;
	int r = 0;

	*ret = (struct key_value_list){ .n = 0 };
	if (given->n == 0)
		return 0;
	ret->items = arena_array(arena, given->n, sizeof(*ret->items));
	if (mkdirat(q->dir->fd, VOLUMES, 0711) < 0)
		return err_sys(err, "make \"%s/" VOLUMES "\"", q->dir->path);
	for (size_t i = 0; r == 0 && i < given->n; i++) {
		r = normalize(arena, given->items[i], &destination, err);
		if (r == 0 && !config_is_replaced(q->settings, destination))
			r = make_one(arena, q, destination, ret, err);
	}
	return r;
}
