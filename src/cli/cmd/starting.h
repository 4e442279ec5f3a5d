/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands that start containers which were made before have in common. */
#ifndef TARE_CLI_CMD_STARTING_H
#define TARE_CLI_CMD_STARTING_H

#include "cli/cmd/command.h"
#include "engine/start.h"

/* starting_request() - all are borrowed */
struct start_request starting_request(struct cli *cli, const struct roots *roots,
				      const struct report *report, const char *id);

/*
 * starting_result() - what a start has returned: where layers are missing, the program that can unpack them is executed
 * Return: @result; -errno
 */
int starting_result(struct cli *cli, int result, struct err *err) MUST_CHECK;

#endif
