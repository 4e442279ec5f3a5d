/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TARE_CLI_CMD_EXPLAIN_H
#define TARE_CLI_CMD_EXPLAIN_H

#include "cli/cmd/command.h"
#include "engine/launch.h"
#include "runtime/explain.h"

/* --explain, or --explain=FORMAT */
struct explain_choice {
	bool given;
	enum explain_format format;
};

option_set option_set_explain;

/* explain_launch() - show what launch_prepare() has done, and what the runtime would do now, as one list */
int explain_launch(struct cli *cli, const struct launch *launch, enum explain_format format,
		   struct err *err) MUST_CHECK;

#endif
