/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan as something to read: `tare-oci explain`.
 *
 * Three forms of the same list. Text is a lesson: each step with the command that a person could type for it, and why it
 * is there. JSON is for programs. The script does it: run as root on the same host it reaches the same end state, as far
 * as a shell can; what it can't do is a comment in it that says so. Nothing here looks at the host or needs root.
 */
#ifndef TARE_RUNTIME_EXPLAIN_H
#define TARE_RUNTIME_EXPLAIN_H

#include "runtime/plan.h"

#include <stdio.h>

enum explain_format { EXPLAIN_TEXT, EXPLAIN_JSON, EXPLAIN_SH };

/*
 * explain_plan() - print a plan
 * @out:     receives it; the caller checks for write errors when it closes the stream
 * @plan:    made by plan_create(), borrowed
 * @options: what the plan was made with
 * @format:  one of the three forms
 * @colour:  text only: use the terminal's colours
 */
void explain_plan(FILE *out, const struct plan *plan, const struct create_options *options,
		  enum explain_format format, bool colour);

/* explain_format_parse() - "text", "json", "sh". Return: 0; -EINVAL with *err */
int explain_format_parse(const char *word, enum explain_format *ret_format,
			 struct err *err) MUST_CHECK;

#endif
