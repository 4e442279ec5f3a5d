/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The volumes that an image names: each is a directory beside the container's upper one, with what the image has there, mounted
 * over the place in the root filesystem. It is the container's own and goes with it.
 *
 * Spec: image-spec config.md "Volumes"
 */
#ifndef TARE_ENGINE_VOLUMES_H
#define TARE_ENGINE_VOLUMES_H

#include "engine/containers.h"
#include "engine/settings.h"

struct volumes_request {
	const struct container_dir *dir;
	const struct str_list *destinations; /* of the image */
	const struct settings *settings;     /* what is mounted there by somebody needs no volume */
	int root;                            /* the root filesystem */
	uint32_t host_root;                  /* who the container's root is on the host */
};

/*
 * volumes_make() - make and fill them
 * @ret: where in the container, and the directory on the host; in @arena
 *
 * Return: 0; -EINVAL for one that is no absolute path; -errno
 */
int volumes_make(struct arena *arena, const struct volumes_request *request,
		 struct key_value_list *ret, struct err *err) MUST_CHECK;

#endif
