/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/member.h"

#include "cgroup/path.h"
#include "os/dir.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* A dozen lines; an init that stands deeper than this is looked for the long way. */
#define CGROUP_TEXT_MAX (8 * 1024)

/* ---- where init is ---------------------------------------------------------------------------------------------- */

/*
 * Does @text, a /proc/PID/cgroup, say that the process is in @dir? Only if it is so at first sight: where a part of a
 * hierarchy is mounted, or the record has no controllers, the answer is no.
 */
static bool is_in(const char *text, const struct cgroup_dir *dir)
{
	const char *path = dir->path + strlen(dir->mount), *line, *end;
	size_t len = dir->controllers ? strlen(dir->controllers) : 0;

	for (line = text; dir->controllers && *line; line = *end ? end + 1 : end) {
		const char *words = strchr(line, ':');

		end = line + strcspn(line, "\n");
		if (!words || words > end || strncmp(words + 1, dir->controllers, len) != 0 ||
		    words[1 + len] != ':')
			continue;
		words += len + 2;
		return (size_t)(end - words) == strlen(path) &&
		       strncmp(words, path, (size_t)(end - words)) == 0;
	}
	return false;
}

/* The long way: by the mount, as the layout of the host has it. The root of a hierarchy is nobody's to join. */
static int look_up(struct arena *arena, struct cgroup_dir *dir, const struct cgroup_layout *layout)
{
	for (size_t i = 0; i < layout->n; i++) {
		const struct cgroup_hierarchy *h = &layout->items[i];

		if (strcmp(h->mount, dir->mount) != 0)
			continue;
		if (strcmp(h->own_path, "/") != 0)
			dir->path = cgroup_directory(arena, h, h->own_path);
		return 0;
	}
	return -ENODEV;
}

int cgroup_follow(struct arena *arena, struct cgroup_dir *dirs, size_t n, pid_t pid,
		  struct err *err)
{
	struct cgroup_layout layout = { .n = 0 };
	char text[CGROUP_TEXT_MAX], path[32], name[16];
	ssize_t len;
	int r;

	snprintf(name, sizeof(name), "%d", (int)pid);
	snprintf(path, sizeof(path), "/proc/%s/cgroup", name);
	len = os_read_at(AT_FDCWD, path, text, sizeof(text));
	if (len == -ESRCH)
		len = -ENOENT;
	if (len < 0)
		return err_set(err, (int)len, "read \"%s\"", path);

	for (size_t i = 0; i < n; i++) {
		if (is_in(text, &dirs[i]))
			continue;
		r = layout.n ? 0 : cgroup_layout_read_of(arena, "", name, &layout, err);
		if (r < 0)
			return r;
		(void)look_up(arena, &dirs[i], &layout);
	}
	return 0;
}

/* ---- below it --------------------------------------------------------------------------------------------------- */

/* Is @word of @len bytes one that @dir is named by? v1's named hierarchies also without "name=". */
static bool is_called(const struct cgroup_dir *dir, const char *word, size_t len)
{
	const char *list = dir->v2 ? "unified" : dir->controllers;

	for (const char *at = list; at && *at; at += strcspn(at, ",") + (strchr(at, ',') != NULL)) {
		size_t item = strcspn(at, ",");

		if (item == len && strncmp(at, word, len) == 0)
			return true;
		if (strncmp(at, "name=", 5) == 0 && item == len + 5 &&
		    strncmp(at + 5, word, len) == 0)
			return true;
	}
	return false;
}

static int choose_by_names(const struct cgroup_dir *dirs, size_t n, const char *names, size_t len,
			   uint64_t *ret_chosen, struct err *err)
{
	uint64_t chosen = 0;

	for (size_t at = 0, item; at <= len; at += item + 1) {
		uint64_t before = chosen;

		item = strcspn(names + at, ",:");
		for (size_t i = 0; i < n; i++) {
			if (is_called(&dirs[i], names + at, item))
				chosen |= UINT64_C(1) << i;
		}
		if (chosen == before)
			return err_user(err,
					"the container has no cgroup with the controller \"%.*s\"",
					(int)item, names + at);
	}
	*ret_chosen = chosen;
	return 0;
}

static int below_error(int code, const char *word, struct err *err)
{
	if (code == -EXDEV) {
		err_user(err, "use cgroup \"%s\": its \"..\" leads out of the container's cgroup",
			 word);
		return err_hint(err, "the path counts from there, e.g. \"/workers\"");
	}
	return err_user(err, "use cgroup \"%s\": the path or one of its names is too long", word);
}

int cgroup_choose_below(struct arena *arena, struct cgroup_dir *dirs, size_t n, const char *word,
			uint64_t *ret_chosen, struct err *err)
{
	const char *colon = strchr(word, ':'), *path = colon ? colon + 1 : word;
	char below[CGROUP_PATH_MAX + 2];
	uint64_t chosen = n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
	int r;

	if (colon && n == 1 && dirs[0].v2) {
		err_user(err, "use cgroup \"%s\": with cgroup v2 there is one for all controllers",
			 word);
		return err_hint(err, "leave the controllers out: \"%s\"", path);
	}
	if (colon) {
		r = choose_by_names(dirs, n, word, (size_t)(colon - word), &chosen, err);
		if (r < 0)
			return r;
	}
	r = cgroup_path_normalize(path, below);
	if (r < 0)
		return below_error(r, word, err);
	for (size_t i = 0; i < n; i++) {
		if (chosen & UINT64_C(1) << i)
			dirs[i].path = arena_printf(arena, "%s%s", dirs[i].path, below);
	}
	*ret_chosen = chosen;
	return 0;
}
