/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands that do the same to each of the containers that they are given. */
#ifndef TARE_CLI_CMD_EACH_H
#define TARE_CLI_CMD_EACH_H

#include "cli/cmd/command.h"
#include "engine/containers.h"

/* each_fn - @id: whole; @text: as it was typed. Return: 0; -errno */
typedef int each_fn(struct cli *cli, const struct roots *roots, const char *id, const char *text,
		    const void *arg, struct err *err);

/* report_unreadable() - for containers_list(): one that can't be read is left out, and said. @log: a struct log */
void report_unreadable(void *log, const char *id, const struct err *err);

/*
 * each_container() - call @fn for each of @words, after a sweep
 * @command: for messages: "stop"
 *
 * One that fails is reported and keeps none of the others.
 * Return: 0; 1 if one failed; -errno
 */
int each_container(struct cli *cli, const char *command, const struct operands *words, each_fn *fn,
		   const void *arg, struct err *err) MUST_CHECK;

#endif
