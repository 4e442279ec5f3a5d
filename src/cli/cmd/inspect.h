/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `inspect` and `image inspect` show, by docker's names: one object into @w. */
#ifndef TARE_CLI_CMD_INSPECT_H
#define TARE_CLI_CMD_INSPECT_H

#include "base/json_write.h"
#include "engine/containers.h"
#include "image/store.h"

/* inspect_image() - Return: 0; -ENOENT if there is none of that name; -errno */
int inspect_image(const struct store *store, struct arena *arena, const char *name,
		  struct json_writer *w, struct err *err) MUST_CHECK;

/* inspect_container() - @id: whole. Return: 0; -ENOENT; -errno */
int inspect_container(struct arena *arena, const struct roots *roots, const char *id,
		      struct json_writer *w, struct err *err) MUST_CHECK;

#endif
