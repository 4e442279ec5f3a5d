/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TARE_CLI_CMD_EXPLAIN_H
#define TARE_CLI_CMD_EXPLAIN_H

#include "cli/cmd/command.h"
#include "engine/launch.h"

/* explain_launch() - show what launch_prepare() has done, and what the runtime would do now, as one list */
int explain_launch(struct cli *cli, const struct launch *launch, struct err *err) MUST_CHECK;

#endif
