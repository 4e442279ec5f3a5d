/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a container is not running: what its record says, in words. */
#ifndef TARE_ENGINE_WHY_H
#define TARE_ENGINE_WHY_H

#include "engine/containers.h"

/*
 * why_text() - one line for each thing that is known, without a newline at the end
 * @record: of one that does not run
 */
const char *why_text(struct arena *arena, const struct roots *roots,
		     const struct container_record *record);

#endif
