/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TARE_ENGINE_BUNDLE_H
#define TARE_ENGINE_BUNDLE_H

#include "engine/launch.h"

/*
 * bundle_make() - config.json and rootfs/ at @path: a copy of all of the image's layers, one over the other
 * @launch: what the caller gives, as for launch_prepare()
 * @path:   absolute; must not exist, or be a directory without config.json and rootfs
 *
 * On failure nothing is left.
 * Return: 0; -ENOENT if the image is not in the store; -errno
 */
int bundle_make(struct launch *launch, const char *path, struct err *err) MUST_CHECK;

#endif
