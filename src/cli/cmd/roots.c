/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cmd/command.h"

struct roots roots_of(const struct cli *cli)
{
	return (struct roots){ .root = cli->root, .runroot = cli->runroot };
}

int open_store(const struct cli *cli, struct store *ret, struct err *err)
{
	struct roots roots = roots_of(cli);

	return roots_open_store(&roots, ret, err);
}
