/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/oci/command.h"

const struct command *const commands[] = {
	&command_create,
	&command_start,
	&command_run,
	&command_exec_cli,
	&command_state,
	&command_kill,
	&command_delete,
	&command_list,
	&command_ps,
	&command_pause,
	&command_resume,
	&command_update,
	&command_events,
	&command_checkpoint,
	&command_restore,
	&command_spec,
	&command_features,
	&command_explain,
	NULL,
};
