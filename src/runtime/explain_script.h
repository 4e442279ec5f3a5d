/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A script in the making. explain_sh.c puts its parts together, explain_sh_steps.c writes the lines of each step. Only these
 * two include this.
 */
#ifndef TARE_RUNTIME_EXPLAIN_SCRIPT_H
#define TARE_RUNTIME_EXPLAIN_SCRIPT_H

#include "runtime/explain_parts.h"

struct script {
	struct shell sh;
	size_t part;  /* number of the child's function that is being written */
	size_t pivot; /* index of the step that changes the root; n_steps if there is none */
	const struct step *exec; /* NULL if the container has no program */
	const char *indent;      /* of the process whose steps are being written */
};

/* script_line() - one line of shell; script_title() - the comment above a step: its place in the plan, and why */
void script_line(struct script *s, const char *text);
void script_title(struct script *s, const struct step *step);

/* script_command() - a step's command as explain's text has it */
void script_command(struct script *s, const struct step *step);

/* script_hook() - run a hook; @tools stands before each command that does it */
void script_hook(struct script *s, const struct step *step, const char *tools);

/* script_step() - all lines of a step: its command, or what a script needs in its place */
void script_step(struct script *s, const struct step *step);

/* script_find() - the child's first step of a kind, or NULL */
const struct step *script_find(const struct script *s, enum step_kind kind);

#endif
