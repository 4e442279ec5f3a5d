/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tare-init, the program that --init makes a container's first process: it reaps orphans and passes signals on. */
#ifndef TARE_ENGINE_INIT_H
#define TARE_ENGINE_INIT_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>

/* Where a container finds it */
#define INIT_DESTINATION "/run/tare-init"

/*
 * init_program() - its path: beside this program, or where it was installed
 * @self: argv[0]; /proc/self/exe is a protected copy without a path (os/selfexe.h)
 *
 * Return: 0; -ENOENT
 */
int init_program(struct arena *arena, const char *self, const char **ret_path,
		 struct err *err) MUST_CHECK;

#endif
