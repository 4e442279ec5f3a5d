/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs of ours that tare needs beside itself. */
#ifndef TARE_ENGINE_BESIDE_H
#define TARE_ENGINE_BESIDE_H

#include "base/arena.h"
#include "base/err.h"

/* What --init makes a container's first process: it reaps orphans and passes signals on. And where a container finds it. */
#define INIT_PROGRAM     "tare-init"
#define INIT_DESTINATION "/run/tare-init"

/*
 * beside_find() - the path of a program: in the directory of this one, or where it was installed
 * @self: argv[0]; /proc/self/exe is a protected copy without a path (os/selfexe.h)
 *
 * Return: 0; -ENOENT
 */
int beside_find(struct arena *arena, const char *self, const char *name, const char **ret_path,
		struct err *err) MUST_CHECK;

#endif
