/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/oci/command.h"
#include "cli/oci/document.h"

#include <stdio.h>
#include <string.h>

struct args {
	const char *format;
	bool quiet;
};

static void print_quiet(const struct container *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%s\n", c[i].id);
}

static int wider(int width, const char *text)
{
	int len = (int)strlen(text);

	return len > width ? len : width;
}

/*
 * Each column is as wide as its widest entry, so that nothing is cut; scripts should use --quiet or
 * JSON.
 */
static void print_table(const struct container *c, size_t n)
{
	int id = 12, bundle = 6, created = 7;
	char owner[OWNER_NAME_MAX];

	for (size_t i = 0; i < n; i++) {
		id = wider(id, c[i].id);
		bundle = wider(bundle, c[i].bundle);
		created = wider(created, c[i].created);
	}
	printf("%-*s  %-10s  %-8s  %-*s  %-*s  %s\n", id, "ID", "PID", "STATUS", bundle, "BUNDLE",
	       created, "CREATED", "OWNER");
	for (size_t i = 0; i < n; i++)
		printf("%-*s  %-10d  %-8s  %-*s  %-*s  %s\n", id, c[i].id, (int)c[i].pid,
		       container_status_names[c[i].status], bundle, c[i].bundle, created,
		       c[i].created, owner_name(c[i].owner, owner));
}

/* Without any container it is `null`, as of runc; callers decode either into an empty list. */
static void print_json(struct arena *arena, const struct container *c, size_t n)
{
	struct json_writer w;

	if (n == 0) {
		printf("null\n");
		return;
	}
	json_writer_init(&w, arena, 0);
	json_array_begin(&w, NULL);
	for (size_t i = 0; i < n; i++)
		add_container(&w, &c[i]);
	json_array_end(&w);
	printf("%s\n", json_writer_text(&w, NULL));
}

/* A container that can't be read must not hide the others. */
static void report_broken(void *log, const char *id, const struct err *err)
{
	log_write(log, LOG_LEVEL_WARNING, "leave out \"%s\": %s", id, err->text);
}

/* A root that was named and is not there is more likely misspelt than empty. */
static int check_root(const struct cli *cli, struct err *err)
{
	if (cli->root_is_default || access(cli->root, F_OK) == 0)
		return 0;
	return err_sys(err, "open \"--root %s\"", cli->root);
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	defer_arena struct arena arena = { 0 };
	bool json = a->format && strcmp(a->format, "json") == 0;
	struct container *containers = NULL;
	size_t n = 0;
	int r;

	if (a->format && !json && strcmp(a->format, "table") != 0) {
		err_user(err, "unknown format \"%s\"", a->format);
		return err_hint(err, "it is table or json");
	}
	r = check_root(cli, err);
	if (r == 0)
		r = container_list(&arena, cli->root, &containers, &n, report_broken, &cli->log,
				   err);
	if (r < 0)
		return r;

	if (a->quiet)
		print_quiet(containers, n);
	else if (json)
		print_json(&arena, containers, n);
	else
		print_table(containers, n);
	return 0;
}

static const struct option options[] = {
	{ "format", 'f', "FORMAT", "table (default) or json", option_set_text,
	  offsetof(struct args, format) },
	{ "quiet", 'q', NULL, "show only the ids", option_set_switch,
	  offsetof(struct args, quiet) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_list = {
	.name = "list",
	.operands = "",
	.summary = "show the containers below --root",
	.options = options,
	.run = run,
};
