/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `pause`, `unpause`: stop all processes of containers for a while, and let them go on. */
#include "cli/cmd/each.h"
#include "runtime/container.h"

#include <stdio.h>

typedef int change_fn(const char *root, const char *id, struct err *err);

static int change_one(struct cli *cli, const struct roots *roots, const char *id, const char *text,
		      const void *arg, struct err *err)
{
	change_fn *const *change = arg;
	defer_arena struct arena arena = { 0 };
	int r = (*change)(containers_oci_root(&arena, roots), id, err);

	if (r == -ENOENT || r == -ESRCH)
		return err_user_code(err, r, "container %.12s is not running", id);
	if (r == 0)
		printf("%s\n", text);
	return r;
}

static int pause_all(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	change_fn *change = container_pause;

	return each_container(cli, "pause", words, change_one, &change, err);
}

static int resume_all(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	change_fn *change = container_resume;

	return each_container(cli, "unpause", words, change_one, &change, err);
}

static const struct option options[] = { OPTION_END };

const struct command command_pause_engine = {
	.name = "pause",
	.alias = "container pause",
	.operands = "CONTAINER...",
	.min_operands = 1,
	.max_operands = OPERANDS_ANY,
	.summary = "stop all processes of containers for a while",
	.options = options,
	.run = pause_all,
};

const struct command command_unpause = {
	.name = "unpause",
	.alias = "container unpause",
	.operands = "CONTAINER...",
	.min_operands = 1,
	.max_operands = OPERANDS_ANY,
	.summary = "let paused containers go on",
	.options = options,
	.run = resume_all,
};
