/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that launch a container have in common: launch.c the order of it all, launch_root.c the root filesystem. */
#ifndef TARE_ENGINE_LAUNCH_INTERNAL_H
#define TARE_ENGINE_LAUNCH_INTERNAL_H

#include "engine/launch.h"

/* launch_note() - a step was done, begun at @start_ns. @command: for people; it and @why are kept, not copied */
void launch_note(struct launch *l, const char *name, const char *command, const char *why,
		 int64_t start_ns);

/* launch_make_below() - a directory in the container's; it may be there. Return: 0; -errno */
int launch_make_below(const struct launch *l, const char *name, mode_t mode,
		      struct err *err) MUST_CHECK;

/* launch_read_map() - --userns HOSTID[:SIZE], or host, into l->map. Return: 0; -EINVAL */
int launch_read_map(struct launch *l, struct err *err) MUST_CHECK;

/* launch_layers() - find the image's layers, or unpack them, into l->layers. Return: 0; LAUNCH_LACKS_LAYER; -errno */
int launch_layers(struct launch *l, const struct store *store, struct err *err) MUST_CHECK;

/*
 * launch_mount_root() - l->root: the overlay of l->layers and of what the container writes, or what stands in for it here
 * Return: 0; LAUNCH_LACKS_LAYER; -errno
 */
int launch_mount_root(struct launch *l, const struct store *store, struct err *err) MUST_CHECK;

#endif
