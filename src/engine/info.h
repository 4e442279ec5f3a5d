/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is here: containers, images, and what this host lets the engine do. */
#ifndef TARE_ENGINE_INFO_H
#define TARE_ENGINE_INFO_H

#include "engine/roots.h"
#include "image/probe.h"
#include "runtime/facts.h"

struct engine_info {
	size_t running, paused, stopped;     /* containers; stopped: those that do not run */
	size_t images;                       /* each once, however many names it has */
	const char *host, *kernel, *machine; /* of uname(2) */
	const char *system;    /* PRETTY_NAME of os-release(5); "Linux" where there is none */
	uint64_t cpus, memory; /* that we may use; bytes that the machine has */
	bool user_xattrs;      /* layers have overlayfs's attributes of a user */
	struct overlay_means means;
	struct facts facts;
};

/* info_read() - all of it; strings in @arena. Return: 0; -errno */
int info_read(struct arena *arena, const struct roots *roots, struct engine_info *ret,
	      struct err *err) MUST_CHECK;

#endif
