/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The standard streams of a container's first process. They are the only files that it shares with the outside, and a
 * restored one gets ours. A pipe is known by what it was at the start: a process may have put one of its own in its place.
 * Any other file is looked at as it is now: it is outside if it is on none of the container's mounts.
 */
#include "runtime/criu_mounts.h"

#include "base/json.h"
#include "base/json_write.h"
#include "os/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MOUNTINFO_MAX ((size_t)8 * 1024 * 1024)

/* Characters 136 and on are ptys, 4 and 5 other terminals; those are --shell-job's. */
static bool is_terminal(const struct statx *stx)
{
	return S_ISCHR(stx->stx_mode) &&
	       (stx->stx_rdev_major == 4 || stx->stx_rdev_major == 5 ||
		(stx->stx_rdev_major >= 136 && stx->stx_rdev_major <= 143));
}

static bool has_mount(const char *mountinfo, uint64_t id)
{
	for (const char *line = mountinfo; *line;
	     line += strcspn(line, "\n"), line += *line == '\n') {
		if (strtoull(line, NULL, 10) == id)
			return true;
	}
	return false;
}

static const char *link_text(struct arena *arena, const char *path)
{
	char text[PATH_MAX];
	ssize_t n = readlink(path, text, sizeof(text));

	return n < 0 ? "" : arena_strndup(arena, text, (size_t)n);
}

/* What fd @fd is called; with an entry in @external if it is a file from outside */
static const char *describe(struct arena *arena, pid_t pid, int fd, const char *mountinfo,
			    struct str_list *external)
{
	struct statx stx;
	const char *text;
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	if (statx(AT_FDCWD, path, 0, STATX_TYPE | STATX_INO | STATX_MNT_ID, &stx) < 0)
		return "";
	if ((!S_ISREG(stx.stx_mode) && !S_ISCHR(stx.stx_mode)) || is_terminal(&stx) ||
	    !(stx.stx_mask & STATX_MNT_ID) || has_mount(mountinfo, stx.stx_mnt_id))
		return link_text(arena, path);
	text = arena_printf(arena, "file[%llx:%llx]", (unsigned long long)stx.stx_mnt_id,
			    (unsigned long long)stx.stx_ino);
	for (size_t i = 0; i < external->n; i++) {
		if (strcmp(external->items[i], text) == 0)
			return text;
	}
	external->items[external->n++] = text;
	return text;
}

int criu_stdio_describe(struct arena *arena, pid_t pid, const char *const pipes[3],
			struct str_list *external, char **ret, struct err *err)
{
	defer_close int fd = -EBADF;
	struct json_writer w;
	char path[48], *mountinfo;
	size_t len;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : os_file_read(arena, fd, MOUNTINFO_MAX, &mountinfo, &len);
	if (r < 0)
		return err_set(err, r, "read \"%s\"", path);
	json_writer_init(&w, arena, 0);
	json_array_begin(&w, NULL);
	for (int i = 0; i < 3; i++)
		json_add_string(&w, NULL,
				pipes[i][0] ? pipes[i]
					    : describe(arena, pid, i, mountinfo, external));
	json_array_end(&w);
	*ret = json_writer_text(&w, NULL);
	return 0;
}

int criu_stdio_inherit(struct arena *arena, const char *text, size_t len, struct criu_pairs *ret,
		       struct err *err)
{
	const struct json *root, *item;
	int fd = 0, r;

	r = json_parse(arena, text, len, &root, err);
	if (r == 0 && root->type != JSON_ARRAY)
		r = err_user(err, "it is no list of strings");
	if (r < 0) {
		/* A pointer into it would be taken for one into config.json. */
		err->pointer[0] = '\0';
		err->line = 0;
		return r;
	}
	json_each(item, root) {
		const char *name = json_string(item);

		if (name && fd < 3 &&
		    (strncmp(name, "pipe:[", 6) == 0 || strncmp(name, "file[", 5) == 0))
			criu_pairs_add(arena, ret, name, NULL, fd);
		fd++;
	}
	return 0;
}

void criu_stdio_own(struct arena *arena, const char *ret_pipes[3])
{
	char path[32];
	struct stat st;

	for (int fd = 0; fd < 3; fd++) {
		ret_pipes[fd] = "";
		if (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		ret_pipes[fd] = link_text(arena, path);
		/* A named pipe is a file. */
		if (strncmp(ret_pipes[fd], "pipe:[", 6) != 0)
			ret_pipes[fd] = "";
	}
}
