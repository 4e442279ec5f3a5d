/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cmd/command.h"

const struct command *const commands[] = {
	&command_run,          &command_ps,
	&command_rm,           &command_bundle,
	&command_images,       &command_pull,
	&command_push,         &command_copy,
	&command_login,        &command_logout,
	&command_import,       &command_load,
	&command_save,         &command_image_inspect,
	&command_history,      &command_tag,
	&command_rmi,          &command_image_gc,
	&command_system_df,    &command_system_check,
	&command_system_reset, NULL,
};

struct roots roots_of(const struct cli *cli)
{
	return (struct roots){ .root = cli->root, .runroot = cli->runroot };
}

int open_store(const struct cli *cli, struct store *ret, struct err *err)
{
	struct roots roots = roots_of(cli);

	return roots_open_store(&roots, ret, err);
}
