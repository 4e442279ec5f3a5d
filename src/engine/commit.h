/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a container has written becomes a layer of the store. */
#ifndef TARE_ENGINE_COMMIT_H
#define TARE_ENGINE_COMMIT_H

#include "engine/view.h"
#include "image/layer_make.h"

struct commit {
	const struct view *view;
	bool pause; /* stop a running container's processes while it is read */
	enum media_compression compression;
	int64_t newest; /* as of struct pack_options */
};

/*
 * commit_layer() - make the layer
 * @arena:      what is needed meanwhile
 * @ret_packed: zeros if nothing was packed
 *
 * The same content gives the same bytes. A container that was paused before stays so. While it is paused by us, signals that ask
 * a program to stop wait, and end the work at the next file; after SIGKILL the next
 * command that looks at containers lets it go on (paused.h).
 * Return: 0; 1 if the container has changed nothing, and there is no layer; -EINTR; -EAGAIN as of view_check(); -errno
 */
int commit_layer(const struct store *store, struct arena *arena, const struct commit *commit,
		 struct made_layer *ret, struct pack_result *ret_packed,
		 struct err *err) MUST_CHECK;

#endif
