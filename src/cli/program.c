/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tare-oci and tare have in common.
 *
 * From the first instruction to a command's run(): read the global options, find the command, read
 * its options; if it enters a container, execute a protected copy of the binary (and arrive here
 * again); close the way for inherited fds; open the log. Nothing is opened and nothing allocated
 * before that, so the first pass costs little.
 *
 * Exit statuses: 0, or what the container's program ended with; 1 for every failure of our own (255
 * where that could be the program's), also for wrong usage.
 */
#include "base/guard.h"
#include "base/version.h"
#include "cli/command.h"
#include "os/calls.h"
#include "os/exec.h"
#include "os/ns.h"
#include "os/selfexe.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

extern char **environ;

/*
 * An fd below 3 that the caller closed would be given to the next file that we open, and whatever
 * is printed would go there. So each gets /dev/null. Return: 0; -errno
 */
static int fill_stdio(void)
{
	struct pollfd fds[3] = { { .fd = 0 }, { .fd = 1 }, { .fd = 2 } };

	if (poll(fds, ARRAY_LEN(fds), 0) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		/* Lowest first, so open() returns just this number. */
		if ((fds[i].revents & POLLNVAL) && open("/dev/null", O_RDWR) < 0)
			return -errno;
	}
	return 0;
}

/* "/", "//", "/.", "/x/.." as far as it can be told without looking */
static bool is_filesystem_root(const char *path)
{
	int depth = 0;

	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 2 && memcmp(path, "..", 2) == 0)
			depth = depth > 0 ? depth - 1 : 0;
		else if (len > 0 && !(len == 1 && *path == '.'))
			depth++;
		path += len;
		path += strspn(path, "/");
	}
	return depth == 0;
}

int program_runtime_dir(const char **ret, struct err *err)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	bool user = geteuid() != 0;

	/* A relative one is invalid and to be ignored (XDG Base Directory). */
	if (dir && *dir != '/')
		dir = NULL;
	*ret = NULL;
	if (user && !dir) {
		err_user(err, "find the place where uid %u's containers are recorded",
			 (unsigned)geteuid());
		return err_hint(err, "set XDG_RUNTIME_DIR, or give --root DIR");
	}
	if (user || (dir && os_in_user_namespace("") == 1))
		*ret = dir;
	return 0;
}

int program_settle_root(const char *option, const char *given, char *buf, size_t size,
			const char **ret_root, struct err *err)
{
	int r;

	if (!*given)
		return err_user(err, "option \"%s\" is empty", option);
	r = path_absolute(given, buf, size, ret_root, err);
	if (r < 0)
		return r;
	if (is_filesystem_root(*ret_root))
		return err_user(
			err, "refuse \"%s %s\": containers would be recorded in the root directory",
			option, given);
	return 0;
}

/*
 * Where messages go. The file is opened after inherited fds were looked at, or when there is
 * something to say before.
 */
static int settle_log(struct cli *cli, struct err *err)
{
	cli->log_settled = true;
	if (cli->debug)
		cli->log.level = LOG_LEVEL_DEBUG;
	if (cli->log_format && strcmp(cli->log_format, "json") == 0) {
		cli->log.json = true;
	} else if (cli->log_format && strcmp(cli->log_format, "text") != 0) {
		err_user(err, "unknown log format \"%s\"", cli->log_format);
		return err_hint(err, "it is text or json");
	}
	return cli->log_path ? log_open(&cli->log, cli->log_path, err) : 0;
}

int program_settle_cgroups(struct cli *cli, struct err *err)
{
	static const char *const words[] = { "cgroupfs", "systemd", "disabled" };
	size_t i = 0;

	if (!cli->cgroup_manager) {
		cli->cgroups = cli->systemd_cgroup ? CGROUPS_SYSTEMD : CGROUPS_FILE;
		return 0;
	}
	while (i < ARRAY_LEN(words) && strcmp(words[i], cli->cgroup_manager) != 0)
		i++;
	if (i == ARRAY_LEN(words)) {
		err_user(err, "unknown cgroup manager \"%s\"", cli->cgroup_manager);
		return err_hint(err, "it is cgroupfs, systemd or disabled");
	}
	cli->cgroups = (enum cgroup_manager)i;
	if (cli->systemd_cgroup && cli->cgroups != CGROUPS_SYSTEMD)
		return err_user(
			err,
			"\"--systemd-cgroup\" and \"--cgroup-manager %s\" contradict each other",
			words[i]);
	return 0;
}

/*
 * Everything that was inherited gets close-on-exec, so that neither a hook nor a container finds
 * it. What the caller wants to hand on is made inheritable again in the container's process only.
 */
static int seal_inherited(struct err *err)
{
	int r = fill_stdio();

	if (r < 0)
		return err_set(err, r, "open /dev/null in place of closed standard streams");
	if (GUARD(close_fds))
		r = os_cloexec_from(3);
	if (r < 0)
		err_set(err, r, "set inherited files to be closed on execution");
	return r;
}

static int protect(const struct cli *cli, struct err *err)
{
	int r = GUARD(selfexe_copy) ? os_selfexe_protect(cli->argv, environ) : 0;

	if (r < 0) {
		err_set(err, r, "run from a protected copy of this binary");
		return r == -ENOSYS ? r : err_hint(err, "is /proc mounted?");
	}
	/*
	 * After an execution by fd alone, Linux before 6.14 calls the process by the fd's number.
	 */
	prctl(PR_SET_NAME, cli->program->name);
	return 0;
}

static int execute(struct cli *cli, const struct command *command, void *args,
		   const struct operands *words, struct err *err)
{
	struct program_paths paths;
	int r;

	r = cli->program->begin ? cli->program->begin(command, err) : 0;
	if (r == 0 && command->enters_container)
		r = protect(cli, err);
	if (r < 0)
		return r;
	r = seal_inherited(err);
	if (r == 0 && command->check)
		r = command->check(cli, args, err);
	if (r == 0)
		r = settle_log(cli, err);
	if (r == 0)
		r = cli->program->settle(cli, command, &paths, err);
	if (r < 0)
		return r;

	log_write(&cli->log, LOG_LEVEL_DEBUG, "%s %s (%s): %s, root \"%s\"", cli->program->name,
		  tare_version, tare_commit, command->name, cli->root);
	r = command->run(cli, args, words, err);
	if (r < 0 && words->n)
		err_context(err, "%s \"%.64s\"", command->name, words->words[0]);
	else if (r < 0)
		err_context(err, "%s", command->name);
	return r;
}

/* ENOSYS says that something is missing; what it is the kernel tells when it is asked. */
static void name_missing_calls(const struct cli *cli, struct err *err)
{
	char missing[256];

	if (err->code != -ENOSYS || err->hint[0])
		return;
	os_calls_missing(missing, sizeof(missing));
	if (missing[0])
		err_hint(err, "missing, in this kernel or by a seccomp filter around %s: %s",
			 cli->program->name, missing);
}

static int fail(struct cli *cli, const struct err *err)
{
	struct err log_err = ERR_INIT;

	if (!cli->log_settled && settle_log(cli, &log_err) < 0)
		log_error(&cli->log, &log_err);
	log_error(&cli->log, err);
	return 1;
}

/* Wrong usage: the error where errors go, the help where it can be read. */
static int fail_usage(struct cli *cli, const struct command *command, const struct err *err)
{
	if (command)
		help_command(cli->program, command);
	else
		help_program(cli->program);
	return fail(cli, err);
}

static int check_operands(const struct cli *cli, const struct command *command,
			  const struct operands *words, struct err *err)
{
	if (words->n < command->min_operands)
		return err_user(err, "%s: an operand is missing: %s %s %s", command->name,
				cli->program->name, command->name, command->operands);
	if (words->n > command->max_operands) {
		return err_user(err, "%s: unexpected operand \"%s\"", command->name,
				operands_at(words, command->max_operands));
	}
	return 0;
}

/*
 * A global option behind the command is the commonest of wrong words: runc has them before it, too.
 */
static void hint_at_globals(const struct cli *cli, const struct command *command, int argc,
			    char *const *argv, struct err *err)
{
	for (int i = 0; i < argc; i++) {
		const char *name = argv[i] + strspn(argv[i], "-");
		size_t len = strcspn(name, "=");

		if (argv[i][0] != '-' || options_find(command->options, name, len))
			continue;
		if (options_find(cli->program->global_options, name, len)) {
			err_hint(err, "--%.*s stands before the command: %s --%.*s ... %s",
				 (int)len, name, cli->program->name, (int)len, name, command->name);
			return;
		}
	}
}

static int run_command(struct cli *cli, const struct command *command, int argc, char *const *argv)
{
	_Alignas(max_align_t) unsigned char args[COMMAND_ARGS_MAX] = { 0 };
	struct operands words = { .n = 0 };
	struct err err = ERR_INIT;
	int r, used;

	r = options_parse(command->options, args, argc, argv, command->hands_words_on, &words,
			  &used, &err);
	if (r == OPTIONS_DONE && used < argc) {
		words.words[words.n++] = argv[used];
		words.rest = argv + used + 1;
	}
	if (r == OPTIONS_HELP) {
		help_command(cli->program, command);
		return 0;
	}
	if (r < 0) {
		hint_at_globals(cli, command, argc, argv, &err);
		err_context(&err, "%s", command->name);
	} else {
		r = check_operands(cli, command, &words, &err);
	}
	if (r < 0) {
		fail_usage(cli, command, &err);
		return command->usage_status ? command->usage_status : 1;
	}

	r = execute(cli, command, args, &words, &err);
	if (r >= 0)
		return r;
	name_missing_calls(cli, &err);
	fail(cli, &err);
	return command->failure_status ? command->failure_status : 1;
}

/* `help`, `help COMMAND`, `help GROUP` */
static int run_help(struct cli *cli, int argc, char *const *argv)
{
	struct err err = ERR_INIT;
	const struct command *command;
	int used;

	if (argc == 0) {
		help_program(cli->program);
		return 0;
	}
	command = command_find(cli->program, argc, argv, &used, &err);
	if (command)
		help_command(cli->program, command);
	else if (argc > 1 || !help_group(cli->program, argv[0]))
		return fail_usage(cli, NULL, &err);
	return 0;
}

static bool asks_for_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-help") == 0 || strcmp(word, "-h") == 0;
}

/* Is there something to be done that only the program with all commands can do? Help is one of these things. */
static bool is_elsewhere(const struct program *program, bool asks_help, int argc, char *const *argv)
{
	struct err unknown = ERR_INIT;
	int used;

	return program->hand_over &&
	       (asks_help || argc == 0 || !command_find(program, argc, argv, &used, &unknown));
}

static int run_elsewhere(struct cli *cli)
{
	struct err err = ERR_INIT;

	(void)!cli->program->hand_over(cli, &err);
	return fail(cli, &err);
}

static int run_program(struct cli *cli, int argc, char *const *argv)
{
	const struct command *command;
	struct err err = ERR_INIT;
	struct operands none;
	int used, r;

	r = options_parse(cli->program->global_options, cli, argc - 1, argv + 1, true, &none, &used,
			  &err);
	if (r < 0)
		return cli->program->hand_over ? run_elsewhere(cli) : fail_usage(cli, NULL, &err);
	if (r != OPTIONS_HELP && cli->version)
		return cli->program->show_version();
	argc -= 1 + used;
	argv += 1 + used;
	if (is_elsewhere(cli->program, r == OPTIONS_HELP, argc, argv))
		return run_elsewhere(cli);
	if (r == OPTIONS_HELP || argc == 0) {
		help_program(cli->program);
		return 0;
	}
	if (strcmp(argv[0], "help") == 0)
		return run_help(cli, argc - 1, argv + 1);

	command = command_find(cli->program, argc, argv, &used, &err);
	if (!command && argc == 2 && asks_for_help(argv[1]) && help_group(cli->program, argv[0]))
		return 0;
	if (!command)
		return fail_usage(cli, NULL, &err);
	return run_command(cli, command, argc - used, argv + used);
}

/* A build for tests alone says so each time. In all others this is nothing (base/guard.h). */
static void remove_guard(const struct program *program)
{
	const char *name = getenv("TARE_UNSAFE_GUARD");

	fprintf(stderr, "%s: UNSAFE: this build is for tests only: its guards can be removed\n",
		program->name);
	if (!name)
		return;
	if (guard_remove(name) < 0) {
		fprintf(stderr, "%s: TARE_UNSAFE_GUARD: there is no guard \"%s\"\n", program->name,
			name);
		_exit(1);
	}
	fprintf(stderr, "%s: UNSAFE: the guard %s is removed\n", program->name, guard_removed());
}

void program_main(const struct program *program, int argc, char **argv)
{
	struct cli cli = { .program = program, .log = LOG_INIT(program->name), .argv = argv };
	struct err err = ERR_INIT;
	int status;

	if (guards_are_removable())
		remove_guard(program);
	status = run_program(&cli, argc, argv);

	/* A full disk or a closed pipe: half a list must not look like a whole one. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		err_sys(&err, "write to standard output");
		status = fail(&cli, &err);
	}
	log_close(&cli.log);
	/* Not exit(): nothing is left for it to do, and looking for something costs a handful of page faults. */
	_exit(status);
}
