/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `restore`: run, but that the processes come out of an image. */
#include "cli/oci/criu_args.h"
#include "cli/foreground.h"
#include "cli/oci/launch.h"
#include "runtime/criu.h"

#include <limits.h>

struct args {
	struct launch_args launch; /* first: launch_check() takes it for that */
	const char *image_path, *work_path, *manage_cgroups_mode, *lsm_profile, *lsm_mount_context;
	struct option_values empty_ns;
	bool tcp_established, tcp_close, ext_unix_sk, shell_job, file_locks, auto_dedup, lazy_pages;
};

static int restore_traced(struct cli *cli, struct create_options *options,
			  struct restore_options *restore, const char *path,
			  struct container_started *ret, struct err *err)
{
	struct trace_options trace;
	int r;

	r = trace_open(path, &trace, err);
	if (r < 0)
		return r;
	r = container_restore(cli->root, options, restore, trace.stream ? &trace : NULL, ret, err);
	trace_end(cli, path, &trace);
	return r;
}

static int start(struct cli *cli, const void *arguments, const char *id,
		 struct container_started *ret, struct err *err)
{
	const struct args *args = arguments;
	struct create_options options = launch_options(cli, &args->launch, id, true);
	struct report report = command_report(cli);
	char image[PATH_MAX], work[PATH_MAX], pid_file[PATH_MAX];
	struct restore_options restore = {
		.lsm_profile = args->lsm_profile,
		.lsm_mount_context = args->lsm_mount_context,
		.tcp_established = args->tcp_established,
		.tcp_close = args->tcp_close,
		.ext_unix_sk = args->ext_unix_sk,
		.shell_job = args->shell_job,
		.file_locks = args->file_locks,
		.auto_dedup = args->auto_dedup,
	};
	int r;

	options.report = &report;
	options.cgroups = cli->cgroups;
	/* Nobody in an image waits to be told where to notify. */
	options.notify_socket = NULL;
	r = criu_cgroup_mode(args->manage_cgroups_mode, &restore.manage_cgroups, err);
	if (r == 0)
		r = criu_empty_ns(&args->empty_ns, &restore.empty_network, err);
	if (r == 0)
		r = path_absolute(args->image_path ? args->image_path : CRIU_DEFAULT_IMAGE, image,
				  sizeof(image), &restore.image_path, err);
	if (r == 0 && args->work_path)
		r = path_absolute(args->work_path, work, sizeof(work), &restore.work_path, err);
	if (r == 0 && args->launch.pid_file)
		r = path_absolute(args->launch.pid_file, pid_file, sizeof(pid_file),
				  &options.pid_file, err);
	return r < 0 ? r : restore_traced(cli, &options, &restore, args->launch.trace, ret, err);
}

static int run(struct cli *cli, void *arguments, const struct operands *words, struct err *err)
{
	const struct args *args = arguments;
	const struct foreground_run how = {
		.start = start,
		.args = args,
		.root = cli->root,
		.detach = args->launch.detach,
		.keep = args->launch.keep,
		.no_subreaper = args->launch.no_subreaper,
	};

	if (args->lazy_pages)
		return criu_refuse_lazy_pages(err);
	return foreground_run(cli, words->words[0], &how, err);
}

#define RESTORE_OPTION(word, letter, arg, help, type, member)                                      \
	{                                                                                          \
		word, letter, arg, help, option_set_##type, offsetof(struct args, member)          \
	}

static const struct option options[] = {
	RESTORE_OPTION("bundle", 'b', "DIR", "the bundle (default: the current directory)", text,
		       launch.bundle),
	RESTORE_OPTION("image-path", 0, "DIR", "where the image is (default: checkpoint)", text,
		       image_path),
	RESTORE_OPTION("work-path", 0, "DIR", "where CRIU's log goes (default: into the image)",
		       text, work_path),
	RESTORE_OPTION("detach", 'd', NULL, "return when the processes run", switch, launch.detach),
	RESTORE_OPTION("keep", 0, NULL, "do not delete the container after its end", switch,
		       launch.keep),
	RESTORE_OPTION("console-socket", 0, "SOCKET", "send the terminal's master there", text,
		       launch.console_socket),
	RESTORE_OPTION("pidfd-socket", 0, "SOCKET", "send a pidfd of the container's init there",
		       text, launch.pidfd_socket),
	RESTORE_OPTION("pid-file", 0, "FILE", "write the pid of the container's init to FILE", text,
		       launch.pid_file),
	RESTORE_OPTION("tcp-established", 0, NULL, "also connections", switch, tcp_established),
	RESTORE_OPTION("tcp-close", 0, NULL, "connections are closed ones", switch, tcp_close),
	RESTORE_OPTION("ext-unix-sk", 0, NULL, "also unix sockets to the outside", switch,
		       ext_unix_sk),
	RESTORE_OPTION("shell-job", 0, NULL, "on our own terminal", switch, shell_job),
	RESTORE_OPTION("file-locks", 0, NULL, "also file locks", switch, file_locks),
	RESTORE_OPTION("manage-cgroups-mode", 0, "WORD",
		       "of cgroups: soft (default), full, strict or ignore", text,
		       manage_cgroups_mode),
	RESTORE_OPTION("empty-ns", 0, "WORD", "network: leave the namespace empty", values,
		       empty_ns),
	RESTORE_OPTION("auto-dedup", 0, NULL, "take out of the image what is restored", switch,
		       auto_dedup),
	RESTORE_OPTION("lsm-profile", 0, "TYPE:NAME",
		       "other AppArmor profile or SELinux label of the processes", text,
		       lsm_profile),
	RESTORE_OPTION("lsm-mount-context", 0, "NAME", "other SELinux context of mounts", text,
		       lsm_mount_context),
	RESTORE_OPTION("no-subreaper", 0, NULL, "do not reap the container's orphans", switch,
		       launch.no_subreaper),
	RESTORE_OPTION("no-pivot", 0, NULL, "without effect: CRIU sets up the root", switch,
		       launch.no_pivot),
	RESTORE_OPTION("preserve-fds", 0, "N", "without effect: what is open is in the image",
		       unsigned, launch.preserve_fds),
	RESTORE_OPTION("lazy-pages", 0, NULL, "not supported", switch, lazy_pages),
	RESTORE_OPTION("trace", 0, "FILE",
		       "time each step; - is standard error, .json for Perfetto", text,
		       launch.trace),
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_restore = {
	.name = "restore",
	.operands = "ID",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "make a container of the processes in an image",
	.details =
		"Needs CRIU. In the foreground it ends with the program's status, 128+N if signal N ended it.",
	.options = options,
	.check = launch_check,
	.run = run,
};
