/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that a container has of its engine: /etc/hostname, /etc/hosts and /etc/resolv.conf. */
#ifndef TARE_ENGINE_FILES_H
#define TARE_ENGINE_FILES_H

#include "base/arena.h"
#include "base/err.h"
#include "engine/settings.h"

struct files {
	const char *hostname, *hosts;
	const char *resolv_conf; /* NULL: the host has none, and nothing was asked for */
};

/*
 * files_make() - their texts, in @arena
 * @host_resolv_conf: the host's; may be missing
 *
 * Return: 0; -EINVAL for an option that makes no sense; -errno
 */
int files_make(struct arena *arena, const struct settings *settings, const char *hostname,
	       const char *host_resolv_conf, struct files *ret, struct err *err) MUST_CHECK;

#endif
