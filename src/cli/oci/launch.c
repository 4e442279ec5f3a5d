/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/oci/launch.h"

#include "base/num.h"
#include "runtime/notify.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

/*
 * More than any process may have open (the kernel's default fs.nr_open); bounds the look at each of
 * them.
 */
#define PRESERVE_MAX (1u << 20)

/*
 * Sockets that a service manager opened for the container: they come first, from fd 3 up, if they
 * are meant for this very process and did not just stay in its environment.
 *
 * Spec: sd_listen_fds(3); requirements 2.2 "Environment"
 */
static int count_listen_fds(unsigned *ret_n, struct err *err)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t number;

	*ret_n = 0;
	if (!pid || !fds || num_parse_u64(pid, 0, UINT64_MAX, &number) < 0 ||
	    number != (uint64_t)getpid())
		return 0;
	if (num_parse_u64(fds, 0, PRESERVE_MAX, &number) < 0)
		return err_user(err, "LISTEN_FDS is \"%s\", which is no number of files", fds);
	*ret_n = (unsigned)number;
	return 0;
}

int preserve_check(unsigned given, unsigned listen_fds, struct err *err)
{
	unsigned n = given + listen_fds;

	if (given > PRESERVE_MAX)
		return err_user(err, "preserve %u files: no process can have that many", given);
	for (unsigned i = 0; i < n; i++) {
		if (fcntl(3 + (int)i, F_GETFD) >= 0)
			continue;
		err_user(err, "preserve %u files: fd %u is not open", n, 3 + i);
		return err_hint(err, "--preserve-fds and LISTEN_FDS count open files from 3 up");
	}
	return 0;
}

int launch_check(struct cli *cli, void *args, struct err *err)
{
	struct launch_args *launch = args;
	int r;

	r = count_listen_fds(&launch->listen_fds, err);
	if (r == 0)
		r = preserve_check(launch->preserve_fds, launch->listen_fds, err);
	launch->preserve_fds += launch->listen_fds;
	return r;
}

static int launch_traced(struct cli *cli, struct create_options *options,
			 const struct launch_args *args, int config, struct container_started *ret,
			 struct err *err)
{
	struct trace_options trace;
	int r;

	r = trace_open(args->trace, &trace, err);
	if (r < 0)
		return r;
	r = container_create(cli->root, options, config, trace.stream ? &trace : NULL, ret, err);
	if (r == 0)
		log_write(&cli->log, LOG_LEVEL_DEBUG, "\"%s\" is process %d", options->id,
			  (int)ret->pid);
	trace_end(cli, args->trace, &trace);
	return r;
}

struct create_options launch_options(const struct cli *cli, const struct launch_args *args,
				     const char *id, bool run)
{
	return (struct create_options){
		.id = id,
		.bundle = args->bundle ? args->bundle : ".",
		.console_socket = args->console_socket,
		.pid_file = args->pid_file,
		.pidfd_socket = args->pidfd_socket,
		.notify_socket = getenv(NOTIFY_ENV),
		.run = run,
		.foreground = run && !args->detach,
		.strict_cgroups = cli->rootless && strcmp(cli->rootless, "false") == 0,
		.no_pivot = args->no_pivot,
		.no_new_keyring = args->no_new_keyring,
		.preserve_fds = args->preserve_fds,
		.listen_fds = args->listen_fds,
		.listen_fdnames = args->listen_fds ? getenv("LISTEN_FDNAMES") : NULL,
	};
}

int launch(struct cli *cli, const struct launch_args *args, const char *id, bool run,
	   struct container_started *ret, struct err *err)
{
	struct create_options options = launch_options(cli, args, id, run);
	struct report report = command_report(cli);
	defer_close int config = -EBADF;
	char pid_file[PATH_MAX];

	options.report = &report;
	options.cgroups = cli->cgroups;

	/* Before anything else, so that no path is made of it. */
	if (container_id_check(id, err) < 0)
		return err->code;
	if (args->pid_file &&
	    path_absolute(args->pid_file, pid_file, sizeof(pid_file), &options.pid_file, err) < 0)
		return err->code;
	if (args->config) {
		config = open(args->config, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (config < 0)
			return err_sys(err, "open \"%s\"", args->config);
	}
	return launch_traced(cli, &options, args, config, ret, err);
}
