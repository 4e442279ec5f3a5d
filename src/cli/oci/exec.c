/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `exec`: one more process in a container that runs. What it is, is the container's own process
 * with other arguments, or a process.json; options change either. In the foreground it stays until
 * that process has ended, and returns its status.
 */
#include "cli/foreground.h"
#include "cli/oci/launch.h"

#include <fcntl.h>
#include <limits.h>

struct args {
	const char *process, *console_socket, *pidfd_socket, *pid_file, *cwd, *user, *label,
		*apparmor, *trace;
	struct option_values env, gids, caps, cgroups;
	bool detach, tty, no_new_privs, ignore_paused;
	unsigned preserve_fds;
};

static int check(struct cli *cli, void *args, struct err *err)
{
	return preserve_check(((const struct args *)args)->preserve_fds, 0, err);
}

static struct str_list list(const struct option_values *values)
{
	return (struct str_list){ .items = values->items, .n = values->n };
}

static size_t count(char *const *words)
{
	size_t n = 0;

	while (words[n])
		n++;
	return n;
}

static struct exec_options exec_options(const struct args *args, const struct operands *words)
{
	return (struct exec_options){
		.common = {
			.id = words->words[0],
			.console_socket = args->console_socket,
			.pid_file = args->pid_file,
			.pidfd_socket = args->pidfd_socket,
			.foreground = !args->detach,
			.preserve_fds = args->preserve_fds,
		},
		.process_fd = -EBADF,
		.changes = {
			.args = { (const char **)(uintptr_t)words->rest, count(words->rest) },
			.env = list(&args->env),
			.caps = list(&args->caps),
			.gids = list(&args->gids),
			.cwd = args->cwd,
			.user = args->user,
			.apparmor = args->apparmor,
			.label = args->label,
			.tty = args->tty,
			.no_new_privs = args->no_new_privs,
		},
		.cgroups = list(&args->cgroups),
		.ignore_paused = args->ignore_paused,
	};
}

static int exec_traced(struct cli *cli, const char *path, struct exec_options *options,
		       struct container_started *ret, struct err *err)
{
	struct trace_options trace;
	int r;

	r = trace_open(path, &trace, err);
	if (r < 0)
		return r;
	r = container_exec(cli->root, options, trace.stream ? &trace : NULL, ret, err);
	if (r == 0)
		log_write(&cli->log, LOG_LEVEL_DEBUG, "\"%s\" has process %d", options->common.id,
			  (int)ret->pid);
	trace_end(cli, path, &trace);
	return r;
}

static int start(struct cli *cli, const struct args *args, const struct operands *words,
		 struct container_started *ret, struct err *err)
{
	struct exec_options options = exec_options(args, words);
	struct report report = command_report(cli);
	defer_close int process = -EBADF;
	char pid_file[PATH_MAX];

	options.common.report = &report;
	if (container_id_check(options.common.id, err) < 0)
		return err->code;
	if (args->pid_file && path_absolute(args->pid_file, pid_file, sizeof(pid_file),
					    &options.common.pid_file, err) < 0)
		return err->code;
	if (args->process) {
		process = open(args->process, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (process < 0)
			return err_sys(err, "open \"%s\"", args->process);
		options.process_fd = process;
	}
	return exec_traced(cli, args->trace, &options, ret, err);
}

static int run_foreground(struct cli *cli, const struct args *args, const struct operands *words,
			  struct err *err)
{
	defer_close int signals = -EBADF;
	struct container_started started;
	int status;

	signals = foreground_signals(err);
	if (signals < 0)
		return signals;
	if (start(cli, args, words, &started, err) < 0)
		return err->code;

	status = foreground_watch(signals, &started, command_report(cli), err);
	log_write(&cli->log, LOG_LEVEL_DEBUG, "process %d ended with status %d", (int)started.pid,
		  status);
	container_started_clear(&started);
	return status;
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	struct container_started started;
	int r;

	if (!a->detach)
		return run_foreground(cli, a, words, err);
	r = start(cli, a, words, &started, err);
	if (r < 0)
		return r;
	container_started_clear(&started);
	return 0;
}

#define EXEC_OPTION(word, letter, arg, help, type, member)                                         \
	{                                                                                          \
		word, letter, arg, help, option_set_##type, offsetof(struct args, member)          \
	}

static const struct option options[] = {
	EXEC_OPTION("process", 'p', "FILE", "what to run: a process object as JSON", text, process),
	EXEC_OPTION("detach", 'd', NULL, "return when the program runs", switch, detach),
	EXEC_OPTION("pid-file", 0, "FILE", "write the pid of the process to FILE", text, pid_file),
	EXEC_OPTION("pidfd-socket", 0, "SOCKET", "send a pidfd of the process there", text,
		    pidfd_socket),
	EXEC_OPTION("console-socket", 0, "SOCKET", "send the terminal's master there", text,
		    console_socket),
	EXEC_OPTION("tty", 't', NULL, "give it a terminal", switch, tty),
	EXEC_OPTION("cwd", 0, "DIR", "start in DIR", text, cwd),
	EXEC_OPTION("env", 'e', "NAME=VALUE", "add to the environment; may be repeated", values,
		    env),
	EXEC_OPTION("user", 'u', "UID[:GID]", "run as this user, by number", text, user),
	EXEC_OPTION("additional-gids", 'g', "GID", "add a group; may be repeated", values, gids),
	EXEC_OPTION("cap", 'c', "CAP", "add a capability; may be repeated", values, caps),
	EXEC_OPTION("no-new-privs", 0, NULL, "let no program raise its privileges", switch,
		    no_new_privs),
	EXEC_OPTION("process-label", 0, "LABEL", "run under this SELinux label", text, label),
	EXEC_OPTION("apparmor", 0, "PROFILE", "run under this AppArmor profile", text, apparmor),
	EXEC_OPTION("preserve-fds", 0, "N", "hand on N more files, from 3 up", unsigned,
		    preserve_fds),
	EXEC_OPTION("cgroup", 0, "[CTRL,..:]PATH",
		    "run in a cgroup below the container's; may be repeated", values, cgroups),
	EXEC_OPTION("ignore-paused", 0, NULL, "also if it is paused; then wait for the resume",
		    switch, ignore_paused),
	EXEC_OPTION("trace", 0, "FILE", "time each step; - is standard error, .json for Perfetto",
		    text, trace),
	OPTION_END,
};

COMMAND_ARGS(struct args);

/* command_exec() is the word of explain for the step "execute". */
const struct command command_exec_cli = {
	.name = "exec",
	.operands = "ID [PROGRAM [ARG...]]",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "run one more program in a container",
	.details =
		"In the foreground it ends with the program's status, 128+N if signal N ended it.\n"
		"255 is a failure of tare-oci's own. What follows ID is the program's.",
	.options = options,
	.enters_container = true,
	.hands_words_on = true,
	.failure_status = 255,
	.check = check,
	.run = run,
};
