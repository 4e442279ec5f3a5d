/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `bundle`: an image as an OCI bundle, a directory with config.json and a root filesystem that any runtime can run. */
#include "cli/cmd/container_args.h"
#include "engine/bundle.h"

#include <limits.h>

struct args {
	struct container_args container; /* first: the offsets of CONTAINER_OPTIONS count from it */
};

static void warn(void *log, const char *text)
{
	log_write(log, LOG_LEVEL_WARNING, "%s", text);
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	struct launch launch = { .dir = CONTAINER_DIR_INIT, .root = -EBADF };
	struct platform wanted;
	char buf[PATH_MAX];
	const char *path;
	int r = container_platform(&launch.arena, &a->container, &wanted, err);

	launch.roots = roots_of(cli);
	launch.settings = container_settings(&a->container, NULL);
	launch.settings.self = cli->argv[0];
	launch.image_name = words->words[0];
	launch.wanted = &wanted;
	launch.warn = warn;
	launch.to = &cli->log;
	if (r == 0)
		r = path_absolute(words->words[1], buf, sizeof(buf), &path, err);
	if (r == 0)
		r = bundle_make(&launch, path, err);
	launch_clear(&launch);
	return r;
}

static const struct option options[] = {
	CONTAINER_OPTIONS,
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_bundle = {
	.name = "bundle",
	.operands = "IMAGE DIR",
	.min_operands = 2,
	.max_operands = 2,
	.summary = "make an OCI bundle of an image, for any runtime",
	.options = options,
	.run = run,
};
