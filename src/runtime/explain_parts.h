/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the forms of `explain` and `--trace` share: the words for a step, its command, its arguments. Only explain*.c,
 * trace.c and their tests include this.
 */
#ifndef TARE_RUNTIME_EXPLAIN_PARTS_H
#define TARE_RUNTIME_EXPLAIN_PARTS_H

#include "base/json_write.h"
#include "runtime/plan.h"

#include <stdio.h>

extern const char *const step_who_names[STEP_WHOS]; /* "parent", "stage", "child", "starter" */

/* step_why[] - why a step of this kind is there, a few words that follow "because we want to ..." */
extern const char *const step_why[STEP_KIND_COUNT];

/* step_reason() - why this very step is there, where more can be said than for its kind */
const char *step_reason(const struct step *step);

/*
 * Commands use a few shell variables, so that they stay short and a script can give them its own values:
 *   $root   the container's root as the host sees it
 *   $run    an empty directory for things in the making
 *   $state  tare's directory for this container
 *   $pid    the container's first process, as the host numbers it
 */
struct shell {
	FILE *out;
	const struct plan *plan;
	/* the root has been changed: paths of the container need no $root before them */
	bool in_root;
	const char *enter; /* before a command of another root than the shell's; NULL: nothing */
};

/* command_<kind>() - the function behind shell_command(): one for each kind, or it does not link */
typedef void command_fn(const struct shell *sh, const struct step *step);

#define COMMAND_DECLARE(upper, lower, name, effect) command_fn command_##lower;
STEP_KINDS(COMMAND_DECLARE)
#undef COMMAND_DECLARE

/*
 * shell_command() - the command line for one step, without a newline
 *
 * Begins with "# " where no command does it; then it names the system call. Every kind has one.
 */
void shell_command(const struct shell *sh, const struct step *step);

/* shell_word() - @text as one word of a command line, quoted if it has to be */
void shell_word(FILE *out, const char *text);

/* shell_path() - a path of the container as one word: "$root/..." until the root is changed */
void shell_path(const struct shell *sh, const char *path);

/* shell_source() - the word that names the tree in slot @slot, e.g. "$run/source-3" */
void shell_source(const struct shell *sh, int slot);

/* shell_mount_options() - " -o ro,nosuid,size=64k", or nothing; @flags are MS_*, @data the filesystem's own words */
void shell_mount_options(FILE *out, unsigned long flags, const char *data);

/* shell_attrs() - ",ro,suid" for MOUNT_ATTR_* set and cleared. Return: was there one */
bool shell_attrs(FILE *out, uint64_t set, uint64_t clear);

/* shell_propagation() - " --make-rslave", or nothing; @propagation is MS_SHARED or another, perhaps with MS_REC */
void shell_propagation(FILE *out, uint64_t propagation);

/* shell_cgroup() - the directory that a CGROUP_MAKE or CGROUP_SUB makes or a CGROUP_OPEN opens, as one word */
void shell_cgroup(FILE *out, const struct step *step);

/* shell_unshare() - " --pid --mount" for CLONE_NEW* flags */
void shell_unshare(FILE *out, uint64_t flags);

/* shell_caps() - "+chown,+kill" for the prefix "+"; nothing for the empty set */
void shell_caps(FILE *out, uint64_t caps, const char *prefix);

/* What changes about a mount once it is there. MOUNT_ATTR_*, and MS_SHARED or another; rec_: the whole tree, first. */
struct attr_change {
	uint64_t set, clr, rec_set, rec_clr;
	uint64_t propagation, rec_propagation;
};

/* source_change() - that of a SOURCE_OPEN */
struct attr_change source_change(const struct step *step);

/* shell_set_attrs() - " && mount -o remount,bind,... @target" for each; @target is a word of shell */
void shell_set_attrs(const struct shell *sh, const struct attr_change *change, const char *target);

/* shell_filesystem() - mount a MOUNT's new filesystem; where is for the caller to add */
void shell_filesystem(const struct shell *sh, const struct step *step);

/* shell_nsenter() - " --net=PATH" for a NS_JOIN */
void shell_nsenter(const struct shell *sh, const struct step *step);

/* shell_id_maps() - write both maps of the process @pid, a word of shell */
void shell_id_maps(const struct shell *sh, const char *uid_map, const char *gid_map,
		   const char *pid);

/* shell_time_offsets() - write a TIME_NS's offsets for the processes to come */
void shell_time_offsets(const struct shell *sh, const struct step *step);

/* shell_hook() - feed a hook its state and run it; @tools stands before each command that does it, "" for nothing */
void shell_hook(const struct shell *sh, const struct step *step, const char *tools);

/* shell_setpriv() - setpriv's options for a BOUNDING, IDS, CAPABILITIES or NO_NEW_PRIVS; nothing for others */
void shell_setpriv(FILE *out, const struct step *step);

/* shell_exec_words() - " A=B ... PROGRAM ARGS" of an EXEC, as env(1) takes them */
void shell_exec_words(const struct shell *sh, const struct step *step);

/* step_changes_root() - are paths of the container its own after it? */
bool step_changes_root(const struct step *step);

/* plan_slot_writer() - the step that fills a slot, or NULL */
const struct step *plan_slot_writer(const struct plan *plan, int slot);

/* step_arguments_json() - the members of step->u by name; @w is inside an object */
void step_arguments_json(struct json_writer *w, const struct step *step);

/* The three forms. */
void explain_text(FILE *out, const struct plan *plan, const struct create_options *options,
		  bool colour);
void explain_json(FILE *out, const struct plan *plan, const struct create_options *options);
void explain_sh(FILE *out, const struct plan *plan, const struct create_options *options);

#endif
