/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cmd/output.h"

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

int output_begin(struct arena *arena, const char *path, struct output *ret, struct err *err)
{
	struct output output = { .fd = STDOUT_FILENO, .path = path };

	if (!is_stdout(path)) {
		output.is_open = true;
		if (is_special(path)) {
			output.fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
		} else {
			output.temporary = arena_printf(arena, "%s.tare-%d", path, (int)getpid());
			output.fd = open(output.temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
					 0666);
		}
		if (output.fd < 0)
			return err_sys(err, "make \"%s\"",
				       output.temporary ? output.temporary : path);
	}
	*ret = output;
	return 0;
}

int output_end(struct output *output, int result, struct err *err)
{
	if (result == 0 && output->temporary &&
	    (fsync(output->fd) < 0 || rename(output->temporary, output->path) < 0))
		result = err_sys(err, "name \"%s\"", output->path);
	if (result < 0 && output->temporary)
		(void)unlink(output->temporary);
	if (output->is_open)
		defer_close_fn(&output->fd);
	return result;
}
