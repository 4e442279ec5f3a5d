/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs with sub-commands: tare-oci and tare. Each command is a file with one struct command, each program has a list of
 * them and a struct program; program.c does for all what is the same: global options, protection, the log, errors and exit
 * statuses.
 */
#ifndef TARE_CLI_COMMAND_H
#define TARE_CLI_COMMAND_H

#include "base/log.h"
#include "cli/options.h"
#include "runtime/plan.h"

#include <linux/limits.h> /* not limits.h: entry.c is compiled without a C library */
#include <stddef.h>

struct program;

/* The global options, and what the program has made of them before a command runs. */
struct cli {
	const struct program *program;
	const char *root; /* absolute; not there yet, perhaps */
	bool root_is_default;
	const char *runroot; /* of the engine, for what dies with the machine; absolute */
	struct log log;
	bool log_settled; /* its options were looked at; its file is open if there is one */
	char *const *argv;
	/* as written */
	const char *given_root, *given_runroot, *log_path, *log_format, *rootless, *cgroup_manager;
	bool debug, systemd_cgroup, version;
	enum cgroup_manager cgroups; /* what the two options for it say */
};

/* Room for the struct that a command's options fill; each command says COMMAND_ARGS() of its own */
#define COMMAND_ARGS_MAX 1536
#define COMMAND_ARGS(type)                                                                         \
	_Static_assert(sizeof(type) <= COMMAND_ARGS_MAX, "a command's options need more room")

struct command {
	const char *name;     /* "run"; "image gc", of a group */
	const char *alias;    /* another name for it; NULL: none */
	const char *operands; /* as --help shows them: "ID [SIGNAL]" */
	size_t min_operands, max_operands;
	const char *summary; /* one line, lower case */
	const char *details; /* more lines for --help, or NULL */
	const struct option *options;
	bool hidden;           /* our own programs call it; help does not show it */
	bool enters_container; /* run from a protected copy of the binary */
	/* no container is made or looked for, so a user needs no place for them */
	bool records_nothing;
	/* reads and writes nothing but what is the caller's own, so a user needs no user namespace for it */
	bool needs_no_ids;
	/* what is behind the first operand belongs to another program: words->rest */
	bool hands_words_on;
	int failure_status; /* when run() or what comes before it fails; 0: 1 */
	int usage_status;   /* for a command line that makes no sense; 0: 1 */

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

/* max_operands of a command that takes any number of them */
#define OPERANDS_ANY ((size_t)-1)

/* Room for the paths that settle() makes; they live as long as the command runs. */
struct program_paths {
	char root[PATH_MAX], runroot[PATH_MAX];
};

/* The program's commands, in the order of --help; NULL ends it. Each program has its own list. */
extern const struct command *const commands[];

struct program {
	const char *name;                      /* "tare-oci" */
	const char *does;                      /* "runs containers from OCI bundles" */
	const char *usage;                     /* what follows a command: "[OPTIONS] [ID]" */
	const struct option *global_options;   /* of struct cli */
	const struct command *const *commands; /* in the order of --help; NULL ends it */

	/*
	 * settle() - make what the command needs to know of the global options
	 * Return: 0; -errno
	 */
	int (*settle)(struct cli *cli, const struct command *command, struct program_paths *paths,
		      struct err *err);
	int (*show_version)(void);

	/* begin() - before anything else of a command, and before the protected copy; NULL: nothing. Return: 0; -errno */
	int (*begin)(const struct command *command, struct err *err);

	/*
	 * hand_over() - execute the program that has the commands which this one has not; NULL: there is no such program
	 *
	 * Should be called before anything was made that its own start would not find again.
	 * Return: -errno; not at all if it worked
	 */
	int (*hand_over)(const struct cli *cli, struct err *err);
};

/* program_main() - from the first option to _exit(). @argc, @argv: of main() */
_Noreturn void program_main(const struct program *program, int argc, char **argv);

/*
 * program_settle_root() - a directory of ours, made absolute in @buf if need be, since other processes get paths below it
 * @option: what it is called in messages: "--root"
 */
int program_settle_root(const char *option, const char *given, char *buf, size_t size,
			const char **ret_root, struct err *err) MUST_CHECK;

/*
 * program_runtime_dir() - where a user's programs keep what dies with the machine
 * @ret: NULL for root, who has /run; XDG_RUNTIME_DIR for a user, and for the root that he is in a user namespace, whose
 *       /run is mostly still the host's
 *
 * Return: 0; -EINVAL for a user without XDG_RUNTIME_DIR
 */
int program_runtime_dir(const char **ret, struct err *err) MUST_CHECK;

/* program_settle_cgroups() - --cgroup-manager, and --systemd-cgroup, which is short for one of its words */
int program_settle_cgroups(struct cli *cli, struct err *err) MUST_CHECK;

/* help_program(), help_command() - to standard output */
void help_program(const struct program *program);
void help_command(const struct program *program, const struct command *command);

/*
 * help_group() - the commands whose names or aliases begin with @word and a blank
 * Return: false, and nothing printed, if there are none
 */
bool help_group(const struct program *program, const char *word);

/*
 * command_find() - by the words that a command line begins with
 * @ret_used: how many of the words are its name
 *
 * Return: NULL and *err for an unknown one, with the nearest name
 */
const struct command *command_find(const struct program *program, int argc, char *const *argv,
				   int *ret_used, struct err *err);

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
