/* SPDX-License-Identifier: GPL-2.0-or-later */
/* docker's exit statuses of commands that run a program, and the program's standard input. */
#ifndef TARE_CLI_CMD_STATUS_H
#define TARE_CLI_CMD_STATUS_H

#include "base/err.h"

#include <stdbool.h>

enum { STATUS_OURS = 125, STATUS_CANNOT_RUN = 126, STATUS_NOT_FOUND = 127 };

/* status_of_failure() - which of them a failure is: was it the program, or we? @ours: for the latter */
int status_of_failure(const struct err *err, int ours);

/* status_of_program() - for a program that could not be executed: is it not there? @code: -errno */
int status_of_program(int code);

/* settle_stdin() - without --interactive or a terminal the program has nothing to read, as of docker. Return: 0; -errno */
int settle_stdin(bool wanted, struct err *err) MUST_CHECK;

#endif
