/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cmd/supply.h"

#include "cli/cmd/registry.h"

layers_unpack_fn *const supply_unpack = layers_unpack;

int supply_image(const struct cli *cli, struct launch *launch, struct err *err)
{
	defer_store struct store store = STORE_INIT;
	struct progress progress;
	struct pull_request request = { .name = launch->image_name,
					.platform = launch->wanted,
					.emulated = true };
	struct pull_result result;
	int r = roots_open_store(&launch->roots, &store, err);

	if (r < 0)
		return r;
	progress_init(&progress, false);
	request.watch = progress_watch(&progress);
	r = transfer_pull(&launch->roots, &store, &launch->arena, &request, &result, err);
	if (r == 0)
		launch->image_name = result.name;
	return r;
}
