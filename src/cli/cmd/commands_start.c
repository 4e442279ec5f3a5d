/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands of the program `tare` itself: those that start and stop containers, often and quickly. It is static, and what
 * needs other libraries (archives, compression, registries) is not in it. All other words it hands over to tare-full, which has
 * every command: this one's as well, for an image that has yet to be pulled or unpacked.
 */
#include "cli/cmd/command.h"

#include "engine/beside.h"

#define FULL_PROGRAM "tare-full"

extern char **environ;

const struct command *const commands[] = {
	&command_run,
	&command_create_engine,
	&command_start_engine,
	&command_restart,
	&command_exec_engine,
	&command_ps,
	&command_logs,
	&command_why,
	&command_stop,
	&command_kill,
	&command_wait,
	&command_pause_engine,
	&command_unpause,
	&command_rm,
	&command_monitor_end,
	&command_monitor_start,
	NULL,
};

/* argv[0] stays, so that messages and what is looked for beside this program are the same. */
static int execute_full(const struct cli *cli, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	const char *path;
	int r = beside_find(&arena, cli->argv[0], FULL_PROGRAM, &path, err);

	if (r < 0)
		return r;
	execve(path, cli->argv, environ);
	return err_sys(err, "execute \"%s\"", path);
}

int (*const hand_over)(const struct cli *cli, struct err *err) = execute_full;
