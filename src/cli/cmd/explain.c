/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cmd/explain.h"

#include "base/utf8.h"
#include "runtime/explain.h"
#include "spec/config_read.h"

#include <stdio.h>
#include <string.h>

static void print_steps(const struct launch *launch)
{
	char text[4096];

	printf("from the image to a bundle (done already, and taken back afterwards)\n\n");
	for (size_t i = 0; i < launch->n_steps; i++) {
		utf8_printable(launch->steps[i].command, text, sizeof(text));
		printf("  %-16s # %s\n      %s\n", launch->steps[i].name, launch->reasons[i], text);
	}
	printf("\nfrom the bundle to a process\n\n");
}

int explain_launch(struct cli *cli, const struct launch *launch, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	struct create_options options = {
		.id = launch->dir.id,
		.bundle = launch->dir.path,
		.rootfs = launch->rootfs_dir ? launch->rootfs_dir
					     : arena_printf(&arena, "%s/rootfs", launch->dir.path),
		.rootfs_tree = launch->root_is_mount ? &launch->root : NULL,
		.run = true,
		.foreground = true,
		.cgroups = cli->cgroups,
	};
	struct plan_input in = { .options = &options };
	struct plan plan = { 0 };
	struct config *config;
	struct facts facts;
	int r = config_read(&arena, launch->config, launch->config_len, &config, err);

	if (r == 0)
		r = facts_read(&arena, "", &facts, err);
	if (r < 0)
		return r;
	in.config = config;
	in.facts = &facts;
	r = plan_create(&plan, &in, err);
	if (r == 0)
		r = plan_check(&plan, err);
	if (r == 0) {
		print_steps(launch);
		explain_plan(stdout, &plan, &options, EXPLAIN_TEXT, isatty(STDOUT_FILENO));
	}
	plan_clear(&plan);
	return r;
}
