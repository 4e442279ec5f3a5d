/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cmd/explain.h"

#include "base/json_write.h"
#include "base/utf8.h"
#include "runtime/explain.h"
#include "spec/config_read.h"

#include <stdio.h>
#include <string.h>

int option_set_explain(void *member, const char *value, struct err *err)
{
	struct explain_choice *choice = member;

	*choice = (struct explain_choice){ .given = true, .format = EXPLAIN_TEXT };
	return strcmp(value, "true") == 0 ? 0 : explain_format_parse(value, &choice->format, err);
}

static void print_text(const struct launch *launch)
{
	char text[4096];

	printf("from the image to a bundle (done already, and taken back afterwards)\n\n");
	for (size_t i = 0; i < launch->n_steps; i++) {
		utf8_printable(launch->steps[i].command, text, sizeof(text));
		printf("  %-16s # %s\n      %s\n", launch->steps[i].name, launch->reasons[i], text);
	}
	printf("\nfrom the bundle to a process\n\n");
}

/* What the runtime prints is a document of its own; it becomes a member of ours. */
static void print_json(const struct launch *launch)
{
	defer_arena struct arena arena = { 0 };
	struct json_writer w;

	json_writer_init(&w, &arena, 2);
	json_array_begin(&w, NULL);
	for (size_t i = 0; i < launch->n_steps; i++) {
		json_object_begin(&w, NULL);
		json_add_string(&w, "kind", launch->steps[i].name);
		json_add_string(&w, "command", launch->steps[i].command);
		json_add_string(&w, "why", launch->reasons[i]);
		json_object_end(&w);
	}
	json_array_end(&w);
	printf("{\"engine\": %s,\n\"runtime\": ", json_writer_text(&w, NULL));
}

static void print_script(const struct launch *launch)
{
	printf("#!/bin/bash\n# From the image to a bundle. The container's directory is gone: this makes it anew.\n"
	       "set -e\n");
	for (size_t i = 0; i < launch->n_steps; i++)
		printf("\n# %s: %s\n%s\n", launch->steps[i].name, launch->reasons[i],
		       launch->steps[i].command);
	printf("\n# From the bundle to a process. What is left afterwards:\n"
	       "# umount %s/rootfs; rm -r %s\n\n",
	       launch->dir.path, launch->dir.path);
}

static void print_launch(const struct launch *launch, const struct plan *plan,
			 const struct create_options *options, enum explain_format format)
{
	if (format == EXPLAIN_JSON)
		print_json(launch);
	else if (format == EXPLAIN_SH)
		print_script(launch);
	else
		print_text(launch);
	explain_plan(stdout, plan, options, format, isatty(STDOUT_FILENO));
	if (format == EXPLAIN_JSON)
		printf("}\n");
}

int explain_launch(struct cli *cli, const struct launch *launch, enum explain_format format,
		   struct err *err)
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
	if (r == 0)
		print_launch(launch, &plan, &options, format);
	plan_clear(&plan);
	return r;
}
