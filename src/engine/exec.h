/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A further program in a container that runs: by the runtime library, in this very process, as run does it. Whatever it is not
 * told it has of the container: environment, directory, user, filter, limits.
 */
#ifndef TARE_ENGINE_EXEC_H
#define TARE_ENGINE_EXEC_H

#include "engine/containers.h"
#include "runtime/container.h"

struct exec_request {
	const struct roots *roots;
	const char *id;
	struct str_list args; /* the program and its arguments */
	struct str_list env;  /* NAME=VALUE, or NAME for what it is here */
	const char *user;     /* as of run --user; NULL: the container's */
	const char *cwd;      /* absolute; NULL: the container's */
	bool terminal;        /* it gets one of its own */
	bool privileged;      /* all capabilities, no AppArmor profile, new privileges */
	const struct report *report;
};

/*
 * exec_start() - returns when it executes its program, with our standard streams or a terminal that is ours to relay
 *
 * Return: 0; -ESRCH if the container does not run; -errno. On failure nothing is left
 */
int exec_start(const struct exec_request *request, struct container_started *ret,
	       struct err *err) MUST_CHECK;

#endif
