/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sub-commands of tare-oci: each is a file with one struct command (cli/command.h), and commands.c has the list. */
#ifndef TARE_CLI_OCI_COMMAND_H
#define TARE_CLI_OCI_COMMAND_H

#include "cli/command.h"

#define DEFAULT_ROOT "/run/tare-oci"

/* What runtime-spec the program follows; also what `state` says. */
#define SPEC_VERSION "1.3.0"

extern const struct command command_create, command_start, command_run, command_state, command_kill,
	command_delete, command_exec_cli, command_list, command_ps, command_pause, command_resume,
	command_update, command_events, command_checkpoint, command_restore, command_spec,
	command_features, command_explain;

/*
 * command_refuse_regex() - `--regex` of crun's, which is not ours: to compile an expression takes 73 kB of the C library
 * @command: the command's name, for the message
 * Return: -EOPNOTSUPP
 */
int command_refuse_regex(const char *command, struct err *err);

#endif
