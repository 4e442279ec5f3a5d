/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cmd/supply.h"

layers_unpack_fn *const supply_unpack = NULL;

int supply_image(const struct cli *cli, struct launch *launch, struct err *err)
{
	return cli->program->hand_over(cli, err);
}
