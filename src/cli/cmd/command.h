/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sub-commands of tare: each is a file with one struct command (cli/command.h), and commands.c has the list. */
#ifndef TARE_CLI_CMD_COMMAND_H
#define TARE_CLI_CMD_COMMAND_H

#include "cli/command.h"
#include "engine/roots.h"
#include "spec/image.h"
#include "spec/media_type.h"

extern const struct command command_bundle;
extern const struct command command_commit;
extern const struct command command_container_prune;
extern const struct command command_copy;
extern const struct command command_create_engine;
extern const struct command command_diff;
extern const struct command command_exec_engine;
extern const struct command command_export;
extern const struct command command_history;
extern const struct command command_image_gc;
extern const struct command command_image_inspect;
extern const struct command command_image_tree;
extern const struct command command_images;
extern const struct command command_import;
extern const struct command command_info;
extern const struct command command_inspect;
extern const struct command command_kill;
extern const struct command command_load;
extern const struct command command_login;
extern const struct command command_logout;
extern const struct command command_logs;
extern const struct command command_monitor_end;
extern const struct command command_monitor_start;
extern const struct command command_pause_engine;
extern const struct command command_ps;
extern const struct command command_pull;
extern const struct command command_push;
extern const struct command command_restart;
extern const struct command command_rm;
extern const struct command command_rmi;
extern const struct command command_run;
extern const struct command command_save;
extern const struct command command_start_engine;
extern const struct command command_stop;
extern const struct command command_system_check;
extern const struct command command_system_df;
extern const struct command command_system_reset;
extern const struct command command_tag;
extern const struct command command_unpause;
extern const struct command command_unshare;
extern const struct command command_version;
extern const struct command command_wait;
extern const struct command command_why;

/* Whom this program hands over to what it has not (struct program); NULL: it has everything */
extern int (*const hand_over)(const struct cli *cli, struct err *err);

/* roots_of() - the directories that the global options name */
struct roots roots_of(const struct cli *cli);

/* open_store() - the image store below --root. @ret: STORE_INIT before, cleared by the caller */
int open_store(const struct cli *cli, struct store *ret, struct err *err) MUST_CHECK;

/*
 * new_name() - the name that an image gets: whole, "localhost/" before it if it says no registry, ":latest" behind it
 * @ret: in @arena
 */
int new_name(struct arena *arena, const char *text, const char **ret, struct err *err) MUST_CHECK;

/*
 * collect_rests() - remove what came into the store on the way and nobody needs, and all of what failed
 *
 * Should be called when the leases have ended. Downloads that were begun stay.
 */
int collect_rests(const struct cli *cli, struct err *err) MUST_CHECK;

/* name_new_image() - give it a name (NULL: none) and print its digest */
int name_new_image(const struct store *store, const char *name, const struct descriptor *image,
		   const struct platform *platform, struct err *err) MUST_CHECK;

/* read_compression() - gzip, zstd, none */
int read_compression(const char *text, enum media_compression *ret, struct err *err) MUST_CHECK;

/* apply_changes() - what --change was given, in its order, to @process; borrows from @arena */
int apply_changes(struct arena *arena, struct image_process *process,
		  const struct option_values *changes, struct err *err) MUST_CHECK;

#endif
