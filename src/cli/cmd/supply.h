/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an image may lack when it is to be run: all of it, or unpacked layers. The program with all commands gets and unpacks
 * it (supply.c); the one that only starts containers hands over to that (supply_elsewhere.c).
 */
#ifndef TARE_CLI_CMD_SUPPLY_H
#define TARE_CLI_CMD_SUPPLY_H

#include "cli/cmd/command.h"
#include "engine/launch.h"

/* For struct launch */
extern layers_unpack_fn *const supply_unpack;

/*
 * supply_image() - get the launch's image from its registry; launch->image_name is then the name that it has
 *
 * Should be called while nothing of the launch is there: this process may become another program, which begins anew.
 * Return: 0; -errno
 */
int supply_image(const struct cli *cli, struct launch *launch, struct err *err) MUST_CHECK;

#endif
