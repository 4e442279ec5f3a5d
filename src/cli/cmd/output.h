/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a command writes bytes that are for no person: a file, which has its name when it is whole, or standard output. */
#ifndef TARE_CLI_CMD_OUTPUT_H
#define TARE_CLI_CMD_OUTPUT_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>

struct output {
	int fd; /* to write into */
	const char *path, *temporary;
	bool is_open;    /* by us */
	bool is_unnamed; /* temporary is not there yet */
};

/*
 * output_check() - can it be there, before anything is done
 * @path: NULL or "-": standard output, which is refused if it is a terminal
 */
int output_check(const char *path, struct err *err) MUST_CHECK;

/*
 * output_begin() - a pipe or a device is written into as it is; anything else becomes a new file
 *
 * Where the filesystem knows files without a name, one who is killed leaves nothing.
 */
int output_begin(struct arena *arena, const char *path, struct output *ret,
		 struct err *err) MUST_CHECK;

/* output_end() - @result: of the writing; if that failed, nothing is left. Return: @result; -errno */
int output_end(struct output *output, int result, struct err *err) MUST_CHECK;

#endif
