/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cmd/output.h"

#include "os/remove.h"
#include "os/unnamed.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_stdout(const char *path)
{
	return !path || !strcmp(path, "-");
}

int output_check(const char *path, struct err *err)
{
	if (!is_stdout(path) || !isatty(STDOUT_FILENO))
		return 0;
	err_user(err, "standard output is a terminal");
	return err_hint(err, "say where to with --output FILE");
}

/* What has that name already and is no file: replacing /dev/null would be a disaster. */
static bool is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

/* Without a name if that can be; else beside the name that it is to get. */
static int make_file(struct output *output, struct err *err)
{
	output->fd = os_unnamed_open(output->path, 0666);
	output->is_unnamed = output->fd >= 0;
	if (output->fd >= 0)
		return 0;
	if (output->fd != -EOPNOTSUPP)
		return err_set(err, output->fd, "make \"%s\"", output->path);
	output->fd =
		open(output->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	return output->fd < 0 ? err_sys(err, "make \"%s\"", output->temporary) : 0;
}

int output_begin(struct arena *arena, const char *path, struct output *ret, struct err *err)
{
	struct output output = { .fd = STDOUT_FILENO, .path = path };
	int r = 0;

	if (is_stdout(path)) {
		*ret = output;
		return 0;
	}
	output.is_open = true;
	if (is_special(path)) {
		output.fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
		if (output.fd < 0)
			return err_sys(err, "open \"%s\"", path);
	} else {
		output.temporary = arena_printf(arena, "%s.tare-%d", path, (int)getpid());
		r = make_file(&output, err);
	}
	if (r == 0)
		*ret = output;
	return r;
}

/* Only what replaces a file needs a second name, for the moment between these two calls. */
static int give_name(struct output *output)
{
	int r;

	if (fsync(output->fd) < 0)
		return -errno;
	if (output->is_unnamed) {
		r = os_unnamed_name(output->fd, output->path);
		if (r != -EEXIST)
			return r;
		r = os_unnamed_name(output->fd, output->temporary);
		if (r < 0)
			return r;
		output->is_unnamed = false;
	}
	return rename(output->temporary, output->path) < 0 ? -errno : 0;
}

int output_end(struct output *output, int result, struct err *err)
{
	if (result == 0 && output->temporary) {
		result = give_name(output);
		if (result < 0)
			err_set(err, result, "name \"%s\"", output->path);
	}
	if (result < 0 && output->temporary && !output->is_unnamed)
		(void)unlink(output->temporary);
	if (output->is_open)
		defer_close_fn(&output->fd);
	return result;
}

int output_layout(const struct store *store, struct arena *arena, const struct save_list *images,
		  const char *path, bool may_be_there, struct err *err)
{
	bool made = mkdir(path, 0755) == 0;
	defer_close int dir = -EBADF;
	int r;

	if (!made && (errno != EEXIST || !may_be_there))
		return err_sys(err, "make \"%s\"", path);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (made ? O_NOFOLLOW : 0));
	if (dir < 0)
		return err_sys(err, "open \"%s\"", path);
	r = save_layout(store, arena, images, dir, err);
	if (r < 0 && made)
		(void)!os_remove_tree(AT_FDCWD, path);
	return r < 0 ? err_context(err, "write \"%s\"", path) : 0;
}
