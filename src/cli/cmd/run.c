/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `run`: from an image to a running program, in the foreground, in this very process: no other program is started and nothing
 * is parsed twice.
 *
 * Exit statuses are docker's: 125 for a failure of ours, 126 if the program can't be executed, 127 if it is not there, else the
 * program's own.
 */
#include "cli/cmd/container_args.h"
#include "cli/cmd/explain.h"
#include "cli/cmd/status.h"
#include "cli/cmd/supply.h"
#include "cli/foreground.h"
#include "cli/trace_file.h"
#include "engine/detach.h"
#include "engine/launch.h"
#include "engine/log_choice.h"
#include "engine/restart_policy.h"
#include "os/file.h"
#include "runtime/cleanup.h"
#include "runtime/notify.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

struct args {
	struct container_args container; /* first: the offsets of CONTAINER_OPTIONS count from it */
	const char *name, *rootfs, *trace, *cidfile, *log_driver, *restart;
	struct option_values log_options;
	struct explain_choice explain;
	bool rm, detach, make;
};

/* What start() needs */
struct run {
	const struct args *args;
	struct launch *launch;
	const char *oci_root;
};

static int start(struct cli *cli, const void *arg, const char *id, struct container_started *ret,
		 struct err *err)
{
	const struct run *run = arg;
	struct report report = command_report(cli);
	struct create_options options = {
		.id = id,
		.bundle = run->launch->dir.path,
		.rootfs_tree = run->launch->root_is_mount ? &run->launch->root : NULL,
		.notify_socket = getenv(NOTIFY_ENV),
		.run = true,
		.foreground = true,
		.cgroups = cli->cgroups,
		.report = &report,
	};
	struct trace_options trace;
	int r = trace_open(run->args->trace, &trace, err);

	if (r < 0)
		return r;
	trace.earlier = run->launch->steps;
	trace.n_earlier = run->launch->n_steps;
	r = container_create(run->oci_root, &options, -EBADF, trace.stream ? &trace : NULL, ret,
			     err);
	trace_end(cli, run->args->trace, &trace);
	return r;
}

/* ---- before ------------------------------------------------------------------------------------------------------- */

static void warn(void *log, const char *text)
{
	log_write(log, LOG_LEVEL_WARNING, "%s", text);
}

enum pull_when { PULL_MISSING, PULL_NEVER, PULL_ALWAYS, PULL_NEWER };

static int read_pull(const char *text, enum pull_when *ret, struct err *err)
{
	static const char *const words[] = { "missing", "never", "always", "newer" };

	*ret = PULL_MISSING;
	for (size_t i = 0; text && i < ARRAY_LEN(words); i++) {
		*ret = (enum pull_when)i;
		if (strcmp(text, words[i]) == 0)
			return 0;
	}
	if (!text)
		return 0;
	err_user(err, "unknown word \"%s\" for \"--pull\"", text);
	return err_hint(err, "it is always, missing, never or newer");
}

static bool is_missing(const struct launch *launch, const struct err *err)
{
	return err->code == -ENOENT && launch->image_name && !launch->image.id;
}

/*
 * Before it is looked for in the store. A pull gets only what differs, so newer is the same, but for a registry that can't be
 * asked: then what is there will do.
 */
static int pull_first(struct cli *cli, struct launch *launch, enum pull_when when, struct err *err)
{
	struct report report = command_report(cli);
	struct err refused = ERR_INIT;
	int r;

	if (!launch->image_name || (when != PULL_ALWAYS && when != PULL_NEWER))
		return 0;
	r = supply_image(cli, launch, when == PULL_ALWAYS ? err : &refused);
	if (r == 0 || when == PULL_ALWAYS)
		return r;
	err_context(&refused, "look for a newer \"%s\"", launch->image_name);
	report_warning(&report, &refused);
	return 0;
}

static int prepare(struct cli *cli, const struct args *a, struct launch *launch, struct err *err)
{
	enum pull_when when;
	int r = read_pull(a->container.pull, &when, err);

	if (r == 0)
		r = pull_first(cli, launch, when, err);
	if (r == 0)
		r = launch_prepare(launch, err);
	if (r == 0 || (r < 0 && !is_missing(launch, err)))
		return r;
	if (r < 0 && when == PULL_NEVER)
		return err_hint(err, "tare pull %s gets it", launch->image_name);
	*err = ERR_INIT;
	r = supply_image(cli, launch, err);
	return r < 0 ? r : launch_prepare(launch, err);
}

/* It is an error if it is there, before anything is made: somebody may still rely on it. */
static int check_cidfile(const struct args *a, struct err *err)
{
	if (!a->cidfile || access(a->cidfile, F_OK) < 0)
		return 0;
	err_user_code(err, -EEXIST, "--cidfile \"%s\" exists", a->cidfile);
	return err_hint(err, "remove it, or name another");
}

static int write_cidfile(const struct args *a, const struct launch *launch, struct err *err)
{
	int r = a->cidfile ? os_file_make_at(AT_FDCWD, a->cidfile, launch->dir.id,
					     strlen(launch->dir.id), 0644)
			   : 0;

	return r < 0 ? err_set(err, r, "--cidfile: write \"%s\"", a->cidfile) : 0;
}

/* In the foreground what it writes goes where ours goes, and we are the ones who would have to start it again. */
static int settle_background(const struct args *a, struct launch *launch, struct err *err)
{
	const struct str_list options = { .items = a->log_options.items, .n = a->log_options.n };
	struct log_choice choice;
	int r = log_choose(a->log_driver, &options, &choice, err);

	if (r == 0 && a->detach)
		launch->log = choice;
	if (r == 0)
		r = restart_choose(a->restart, &launch->restart, err);
	if (r < 0 || !launch->restart.policy)
		return r;
	if (a->rm)
		return err_user(err, "--restart and --rm contradict each other");
	return a->detach ? 0 : err_user(err, "--restart is for the background: it needs --detach");
}

static int describe(struct cli *cli, const struct args *a, const struct operands *words,
		    struct launch *launch, struct platform *wanted, struct err *err)
{
	/* The operands lie side by side in argv: the image, if one is wanted, and the program. */
	char *const *all = words->n ? words->rest - 1 : NULL;
	char *const *command = !all || a->rootfs ? all : words->rest;
	int r;

	if (!a->rootfs && words->n == 0) {
		err_user(err, "which image?");
		return err_hint(err, "tare run IMAGE; tare images lists them");
	}
	launch->roots = roots_of(cli);
	launch->settings = container_settings(&a->container, command);
	launch->settings.name = a->name;
	launch->settings.self = cli->argv[0];
	launch->auto_remove = a->rm || a->explain.given;
	launch->open_stdin = a->container.interactive;
	launch->only_make = a->make;
	r = settle_background(a, launch, err);
	if (r < 0)
		return r;
	launch->wanted = wanted;
	launch->unpack = supply_unpack;
	launch->warn = warn;
	launch->to = &cli->log;
	if (!a->rootfs) {
		launch->image_name = words->words[0];
	} else {
		launch->rootfs_dir = realpath(a->rootfs, NULL);
		if (!launch->rootfs_dir)
			return err_sys(err, "--rootfs \"%s\"", a->rootfs);
	}
	r = check_cidfile(a, err);
	return r < 0 ? r : container_platform(&launch->arena, &a->container, wanted, err);
}

/* ---- after -------------------------------------------------------------------------------------------------------- */

static void finish(struct cli *cli, struct launch *launch, int status)
{
	struct err err = ERR_INIT;

	if (launch_finish(launch, status, &err) < 0)
		log_error(&cli->log, &err);
}

/* Nothing of it is left, but the message. Return: the exit status */
static int fail_run(struct cli *cli, struct launch *launch, struct err *err)
{
	finish(cli, launch, -1);
	err_context(err, "run \"%.64s\"", launch->image_name ? launch->image_name : "--rootfs");
	log_error(&cli->log, err);
	return status_of_failure(err, STATUS_OURS);
}

static int run_detached(struct cli *cli, const struct args *a, struct launch *launch,
			struct err *err)
{
	const struct report report = command_report(cli);
	const struct detach detach = {
		.roots = &launch->roots,
		.dir = &launch->dir,
		.record = &launch->record,
		.rootfs_tree = launch->root_is_mount ? &launch->root : NULL,
		.cgroups = cli->cgroups,
		.self = cli->argv[0],
		.log_path = cli->log_path,
		.log_format = cli->log_format,
		.report = &report,
	};

	if (detach_start(&launch->arena, &detach, err) < 0)
		return fail_run(cli, launch, err);
	printf("%s\n", launch->dir.id);
	return 0;
}

static int run_container(struct cli *cli, const struct args *a, struct launch *launch,
			 struct err *err)
{
	struct run run = {
		.args = a,
		.launch = launch,
		.oci_root = containers_oci_root(&launch->arena, &launch->roots),
	};
	const struct foreground_run how = {
		.start = start,
		.args = &run,
		.root = run.oci_root,
	};
	int status = foreground_run(cli, launch->dir.id, &how, err);

	if (status < 0)
		return fail_run(cli, launch, err);
	finish(cli, launch, status);
	return status;
}

static int run_launch(struct cli *cli, const struct args *a, struct launch *launch, struct err *err)
{
	int r = containers_sweep(&launch->roots, err);

	if (r == 0)
		r = prepare(cli, a, launch, err);
	if (r < 0)
		return r;
	if (a->explain.given) {
		r = explain_launch(cli, launch, a->explain.format, err);
		finish(cli, launch, -1);
		return r;
	}
	r = write_cidfile(a, launch, err);
	if (r == 0 && a->make) {
		printf("%s\n", launch->dir.id);
		return 0;
	}
	if (r == 0 && !a->detach)
		r = settle_stdin(a->container.interactive || a->container.terminal, err);
	if (r < 0) {
		finish(cli, launch, r);
		return r;
	}
	return a->detach ? run_detached(cli, a, launch, err) : run_container(cli, a, launch, err);
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	struct launch launch = { .dir = CONTAINER_DIR_INIT, .root = -EBADF };
	struct platform wanted;
	int r = describe(cli, args, words, &launch, &wanted, err);

	if (r == 0)
		r = run_launch(cli, args, &launch, err);
	launch_clear(&launch);
	return r;
}

#define RUN_OPTION(word, letter, arg, help, type, member)                                          \
	{                                                                                          \
		word, letter, arg, help, option_set_##type, offsetof(struct args, member)          \
	}

/* Of run and create */
#define MAKE_OPTIONS                                                                               \
	RUN_OPTION("cidfile", 0, "FILE", "write the container's id to it", text, cidfile),         \
		RUN_OPTION("log-driver", 0, "NAME",                                                \
			   "in the background: what keeps what it writes, json-file or none",      \
			   text, log_driver),                                                      \
		RUN_OPTION("log-opt", 0, "NAME=VALUE",                                             \
			   "max-size=SIZE (10m) of a file of its log, max-file=N (3) of them",     \
			   values, log_options),                                                   \
		RUN_OPTION("name", 0, "NAME", "a name for the container", text, name),             \
		RUN_OPTION("restart", 0, "WHEN",                                                   \
			   "start it again: no, always, unless-stopped, on-failure[:N]", text,     \
			   restart),                                                               \
		RUN_OPTION("rm", 0, NULL, "remove the container after its end", switch, rm),       \
		RUN_OPTION("rootfs", 0, "DIR", "this directory in place of an image", text,        \
			   rootfs)

static int create(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	struct args *a = args;

	/* It can only be started in the background. */
	a->make = a->detach = true;
	return run(cli, args, words, err);
}

static const struct option options[] = {
	CONTAINER_OPTIONS,
	MAKE_OPTIONS,
	RUN_OPTION("detach", 'd', NULL, "let it run in the background, and print its id", switch,
		   detach),
	{ "explain", 0, NULL,
	  "show each step from image to process, and start nothing; =json, =sh: in that form",
	  option_set_explain, offsetof(struct args, explain) },
	RUN_OPTION("trace", 0, "FILE", "time each step; - is standard error, .json for Perfetto",
		   text, trace),
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_run = {
	.name = "run",
	.alias = "container run",
	.operands = "IMAGE [PROGRAM [ARGUMENT...]]",
	.max_operands = OPERANDS_ANY,
	.summary = "make a container of an image and run a program in it",
	.details =
		"It ends with the program's status, 128+N if signal N ended it; 125 if the container\n"
		"could not be made, 126 if the program can't be executed, 127 if it is not there.",
	.options = options,
	.enters_container = true,
	.hands_words_on = true,
	.failure_status = STATUS_OURS,
	.usage_status = STATUS_OURS,
	.run = run,
};

static const struct option create_options[] = { CONTAINER_OPTIONS, MAKE_OPTIONS, OPTION_END };

const struct command command_create_engine = {
	.name = "create",
	.alias = "container create",
	.operands = "IMAGE [PROGRAM [ARGUMENT...]]",
	.max_operands = OPERANDS_ANY,
	.summary = "make a container that start will start",
	.options = create_options,
	.hands_words_on = true,
	.failure_status = STATUS_OURS,
	.usage_status = STATUS_OURS,
	.run = create,
};
