/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan with times: `--trace`. act.c notes when each step began and ended, in the shared page; here they become a list
 * in the order of time, parent and child on one time line whose zero is the first step, or a picture for Perfetto. The
 * traces of a create and of its start together have each step once; what the init began before its start, waiting, has a
 * time below zero in the latter.
 */
#ifndef TARE_RUNTIME_TRACE_H
#define TARE_RUNTIME_TRACE_H

#include "runtime/act.h"
#include "runtime/container.h"

/* trace_write() - of a create or run, done or failed; steps that were not reached are left out */
void trace_write(const struct trace_options *options, const struct progress *page,
		 const struct plan *plan);

/*
 * trace_write_start() - of a start: its own steps, and the init's since it was let go on
 * @page:  the starter's
 * @child: the init's, which create made; NULL if it could not be had
 */
void trace_write_start(const struct trace_options *options, const struct progress *page,
		       const struct progress *child);

#endif
