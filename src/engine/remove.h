/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TARE_ENGINE_REMOVE_H
#define TARE_ENGINE_REMOVE_H

#include "engine/containers.h"
#include "runtime/plan.h"

/*
 * container_remove() - remove a container and all that it has on disk
 * @force: kill it first if it runs; who has it in the foreground then sees it end
 *
 * Return: 0; -EBUSY if it runs; -ENOENT; -errno
 */
int container_remove(const struct roots *roots, const char *id, bool force,
		     const struct report *report, struct err *err) MUST_CHECK;

#endif
