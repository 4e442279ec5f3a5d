/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/act.h"

#include "os/fault.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define STEP_ACTOR(upper, lower, name, effect) [STEP_##upper] = { step_##lower, undo_##lower },
static const struct {
	step_fn *run;
	undo_fn *undo;
} actors[STEP_KIND_COUNT] = { STEP_KINDS(STEP_ACTOR) };

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}
