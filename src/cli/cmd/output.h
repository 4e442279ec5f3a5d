/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a command writes bytes that are for no person: a file, which has its name when it is whole, or standard output. */
#ifndef TARE_CLI_CMD_OUTPUT_H
#define TARE_CLI_CMD_OUTPUT_H

#include "image/save.h"

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

/*
 * output_layout() - write images into a directory as an OCI image layout
 * @may_be_there: it may be one already, or empty; else it must be new
 *
 * What was made and can't be written goes again.
 */
int output_layout(const struct store *store, struct arena *arena, const struct save_list *images,
		  const char *path, bool may_be_there, struct err *err) MUST_CHECK;

/* output_end() - @result: of the writing; if that failed, nothing is left. Return: @result; -errno */
int output_end(struct output *output, int result, struct err *err) MUST_CHECK;

#endif
