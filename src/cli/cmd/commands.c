/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cmd/command.h"

const struct command *const commands[] = {
	&command_run,          &command_ps,
	&command_exec_engine,  &command_logs,
	&command_stop,         &command_kill,
	&command_wait,         &command_pause_engine,
	&command_unpause,      &command_rm,
	&command_diff,         &command_commit,
	&command_export,       &command_bundle,
	&command_images,       &command_pull,
	&command_push,         &command_copy,
	&command_login,        &command_logout,
	&command_import,       &command_load,
	&command_save,         &command_image_inspect,
	&command_image_tree,   &command_history,
	&command_tag,          &command_rmi,
	&command_image_gc,     &command_system_df,
	&command_system_check, &command_system_reset,
	&command_monitor_end,  NULL,
};

int (*const hand_over)(const struct cli *cli, struct err *err) = NULL;
