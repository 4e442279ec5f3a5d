/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Groups of Intel RDT: directories of the resctrl filesystem, each a class of service (CLOS) with a file `schemata` that says
 * how much cache and memory bandwidth its processes get, and a file `tasks` of who they are.
 *
 * Spec: runtime-spec 1.3 config-linux.md "IntelRdt"; kernel arch/x86/resctrl.rst; rows I-2 to I-12
 */
#ifndef TARE_RUNTIME_RDT_H
#define TARE_RUNTIME_RDT_H

#include "base/arena.h"
#include "base/err.h"
#include "spec/config.h"

/* What there has to be of a group, and what may be made of it. */
enum rdt_wish {
	RDT_MAKE, /* it is the container's own: it must not be there yet, and goes with the container */
	RDT_MATCH, /* made if it is missing; if it is there, it must say what the config says */
	RDT_JOIN,  /* it must be there */
};

/* rdt_wish() - which of them @rdt means (rows I-3 to I-5) */
enum rdt_wish rdt_wish(const struct config_intel_rdt *rdt);

/* rdt_group() - the directory of the container's class of service, below @mount. In the arena */
const char *rdt_group(struct arena *arena, const char *mount, const struct config_intel_rdt *rdt,
		      const char *id);

/* rdt_monitor() - the directory of its monitoring group in @group; NULL if it is not asked for */
const char *rdt_monitor(struct arena *arena, const char *group, const struct config_intel_rdt *rdt,
			const char *id);

/* rdt_lines() - what is to be written to schemata, in the order of the spec (row I-8): lines, each with its end. "": nothing */
const char *rdt_lines(struct arena *arena, const struct config_intel_rdt *rdt);

/*
 * rdt_matches() - does @schemata, as the kernel prints it, have every value of @lines?
 *
 * Of two lines of @lines that set the same, the later counts. Cache masks are compared as the hexadecimal numbers that
 * they are; what @lines says nothing about may be anything.
 *
 * Return: true; false and in @ret_at the place in @lines that differs
 */
bool rdt_matches(const char *lines, const char *schemata, const char **ret_at);

/*
 * rdt_open() - have the group as @wish says, with these lines
 * @ret_made: it was not there before; written on success
 *
 * On failure a group that was made is gone again.
 *
 * Needs:  root, since the files are root's
 * Return: the directory, an fd of the caller's; -EEXIST, -ENOENT, -errno and *err
 */
int rdt_open(const char *group, enum rdt_wish wish, const char *lines, bool *ret_made,
	     struct err *err) MUST_CHECK;

/* rdt_open_monitor() - make the monitoring group. Return: the directory, an fd of the caller's; -errno and *err */
int rdt_open_monitor(const char *monitor, struct err *err) MUST_CHECK;

/* rdt_write() - write lines to schemata, one by one. Return: 0; -errno and *err with what the kernel says about it */
int rdt_write(int dir, const char *group, const char *lines, struct err *err) MUST_CHECK;

/*
 * rdt_before() - the lines that bring back what @lines would change
 * @ret: in @arena
 */
int rdt_before(struct arena *arena, int dir, const char *group, const char *lines, const char **ret,
	       struct err *err) MUST_CHECK;

/* rdt_remove() - a group that may be gone already. Return: 0; -errno and *err */
int rdt_remove(const char *group, struct err *err) MUST_CHECK;

#endif
