/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/roots.h"

#include "os/dir.h"

int roots_open_store(const struct roots *roots, struct store *ret, struct err *err)
{
	int r = os_dir_make_path(roots->root, 0711, 0700);

	if (r < 0)
		return err_set(err, r, "make \"--root %s\"", roots->root);
	return store_open(roots->root, ret, err);
}
