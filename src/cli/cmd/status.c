/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cmd/status.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int status_of_program(int code)
{
	return code == -ENOENT || code == -ENOTDIR ? STATUS_NOT_FOUND : STATUS_CANNOT_RUN;
}

int status_of_failure(const struct err *err, int ours)
{
	bool of_program = strcmp(err->step_name, "find-executable") == 0 ||
			  strcmp(err->step_name, "execute") == 0;

	return of_program ? status_of_program(err->code) : ours;
}

int settle_stdin(bool wanted, struct err *err)
{
	defer_close int null = -EBADF;

	if (wanted)
		return 0;
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0)
		return err_sys(err, "open /dev/null as standard input");
	return 0;
}
