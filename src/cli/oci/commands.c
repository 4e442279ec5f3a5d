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

int command_refuse_regex(const char *command, struct err *err)
{
	err_user_code(err, -EOPNOTSUPP,
		      "regular expressions are not supported: one ID at a time is named");
	return err_hint(
		err, "tare-oci list --quiet | grep -E EXPRESSION | xargs -r -I ID tare-oci %s ID",
		command);
}
