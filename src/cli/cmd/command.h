/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sub-commands of tare: each is a file with one struct command (cli/command.h), and commands.c has the list. */
#ifndef TARE_CLI_CMD_COMMAND_H
#define TARE_CLI_CMD_COMMAND_H

#include "cli/command.h"
#include "engine/roots.h"

extern const struct command command_images, command_login, command_logout, command_pull,
	command_push;

/* All of them, in the order of --help; NULL ends it */
extern const struct command *const commands[];

/* roots_of() - the directories that the global options name */
struct roots roots_of(const struct cli *cli);

/* open_store() - the image store below --root. @ret: STORE_INIT before, cleared by the caller */
int open_store(const struct cli *cli, struct store *ret, struct err *err) MUST_CHECK;

#endif
