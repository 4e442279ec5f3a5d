/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `create` and `run` share: their options, the fds that they hand on, and the call that makes
 * the container.
 */
#ifndef TARE_CLI_OCI_LAUNCH_H
#define TARE_CLI_OCI_LAUNCH_H

#include "cli/oci/command.h"
#include "cli/trace_file.h"
#include "runtime/container.h"

struct launch_args {
	const char *bundle, *config, *console_socket, *pidfd_socket, *pid_file, *trace;
	bool no_pivot, no_new_keyring;
	unsigned preserve_fds; /* as given; after launch_check() with the LISTEN_FDS */
	unsigned listen_fds;
	bool detach, keep, no_subreaper; /* of `run` */
};

#define LAUNCH_OPTION(word, letter, arg, help, type, member)                                       \
	{                                                                                          \
		word, letter, arg, help, option_set_##type, offsetof(struct launch_args, member)   \
	}

/* The rows of both option tables, and of explain's */
#define LAUNCH_OPTIONS                                                                             \
	LAUNCH_OPTION("bundle", 'b', "DIR", "the bundle (default: the current directory)", text,   \
		      bundle),                                                                     \
		LAUNCH_OPTION("config", 'f', "FILE",                                               \
			      "read FILE in place of the bundle's config.json", text, config),     \
		LAUNCH_OPTION("console-socket", 0, "SOCKET", "send the terminal's master there",   \
			      text, console_socket),                                               \
		LAUNCH_OPTION("pidfd-socket", 0, "SOCKET",                                         \
			      "send a pidfd of the container's init there", text, pidfd_socket),   \
		LAUNCH_OPTION("pid-file", 0, "FILE",                                               \
			      "write the pid of the container's init to FILE", text, pid_file),    \
		LAUNCH_OPTION("no-pivot", 0, NULL, "move the root mount instead of pivot_root",    \
			      switch, no_pivot),                                                   \
		LAUNCH_OPTION("no-new-keyring", 0, NULL, "keep the caller's session keyring",      \
			      switch, no_new_keyring),                                             \
		LAUNCH_OPTION("preserve-fds", 0, "N", "hand on N more files, from 3 up", unsigned, \
			      preserve_fds)

#define LAUNCH_TRACE_OPTION                                                                        \
	LAUNCH_OPTION("trace", 0, "FILE",                                                          \
		      "time each step; - is standard error, .json for Perfetto", text, trace)

/*
 * launch_check() - count LISTEN_FDS into the preserved fds, and see that all are open; before
 * anything is opened
 */
int launch_check(struct cli *cli, void *args, struct err *err);

/* preserve_check() - are fds 3 and up, as many as both say, open? Return: 0; -EINVAL */
int preserve_check(unsigned given, unsigned listen_fds, struct err *err) MUST_CHECK;

/*
 * launch_options() - what the command line says, as container_create() and plan_create() want it;
 * strings are borrowed
 */
struct create_options launch_options(const struct cli *cli, const struct launch_args *args,
				     const char *id, bool run);

/*
 * launch() - make the container; with @run its program runs afterwards
 * @ret: owned by the caller, see container.h
 * Return: 0; -errno, and nothing is left
 */
int launch(struct cli *cli, const struct launch_args *args, const char *id, bool run,
	   struct container_started *ret, struct err *err) MUST_CHECK;

#endif
