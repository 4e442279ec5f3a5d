/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sub-commands of tare-oci. Each is a file with one struct command; main.c has the list of them
 * and does for all what is the same: global options, protection, the log, errors and exit statuses.
 */
#ifndef TARE_CLI_OCI_COMMAND_H
#define TARE_CLI_OCI_COMMAND_H

#include "base/log.h"
#include "cli/options.h"
#include "runtime/plan.h"

#include <stddef.h>

#define DEFAULT_ROOT "/run/tare-oci"

/* What runtime-spec the program follows; also what `state` says. */
#define SPEC_VERSION "1.3.0"

/* The global options, and what the program has made of them before a command runs. */
struct cli {
	const char *root; /* absolute; not there yet, perhaps */
	bool root_is_default;
	struct log log;
	bool log_settled; /* its options were looked at; its file is open if there is one */
	char *const *argv;
	/* as written */
	const char *given_root, *log_path, *log_format, *rootless, *cgroup_manager;
	bool debug, systemd_cgroup, version;
	enum cgroup_manager cgroups; /* what the two options for it say */
};

extern const struct option global_options[];

/* Room for the struct that a command's options fill; each command says COMMAND_ARGS() of its own */
#define COMMAND_ARGS_MAX 256
#define COMMAND_ARGS(type)                                                                         \
	_Static_assert(sizeof(type) <= COMMAND_ARGS_MAX, "a command's options need more room")

struct command {
	const char *name;
	const char *operands; /* as --help shows them: "ID [SIGNAL]" */
	size_t min_operands, max_operands;
	const char *summary; /* one line, lower case */
	const char *details; /* more lines for --help, or NULL */
	const struct option *options;
	bool enters_container; /* run from a protected copy of the binary */
	/* no container is made or looked for, so a user needs no place for them */
	bool records_nothing;
	/* what is behind the first operand belongs to another program: words->rest */
	bool hands_words_on;
	int failure_status; /* when run() or what comes before it fails; 0: 1 */

	/*
	 * check() - what must be looked at before the program opens a single file, like inherited
	 * fds; may be NULL
	 * Return: 0; -errno
	 */
	int (*check)(struct cli *cli, void *args, struct err *err);

	/*
	 * run() - do it
	 * @args:  the options' struct
	 * @words: the operands, as many as the limits above allow
	 * Return: the exit status of the program, 0..255; -errno with *err for status 1
	 */
	int (*run)(struct cli *cli, void *args, const struct operands *words, struct err *err);
};

extern const struct command command_create, command_start, command_run, command_state, command_kill,
	command_delete, command_exec_cli, command_list, command_ps, command_pause, command_resume,
	command_update, command_events, command_checkpoint, command_restore, command_spec,
	command_features, command_explain;

/* All of them, in the order of --help; NULL ends it */
extern const struct command *const commands[];

/* help_program(), help_command() - to standard output */
void help_program(void);
void help_command(const struct command *command);

/*
 * command_find() - by name
 * Return: NULL and *err for an unknown one, with the nearest name
 */
const struct command *command_find(const char *name, struct err *err);

/*
 * path_absolute() - @path itself if it is absolute, else below the current directory, in @buf
 * Return: 0 and *ret_path; -errno
 */
int path_absolute(const char *path, char *buf, size_t size, const char **ret_path,
		  struct err *err) MUST_CHECK;

/* command_report() - the runtime's warnings go to the log; borrows @cli */
struct report command_report(struct cli *cli);

/* write_stdout() - all of it, and say so if that can't be done. Return: 0; -errno */
int write_stdout(const char *text, size_t len, struct err *err) MUST_CHECK;

#endif
