/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `explain`: the plan of a start, without starting anything. It needs no root, and with --facts not
 * even the host that the container would run on.
 */
#include "runtime/explain.h"

#include "cli/oci/launch.h"
#include "os/file.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <stdio.h>

/* A host's facts are a page of JSON at most; see runtime/facts.h. */
#define FACTS_MAX_BYTES ((size_t)1024 * 1024)

struct args {
	struct launch_args launch; /* first: the offsets of LAUNCH_OPTIONS count from it */
	const char *format, *facts;
	bool create, print_facts;
};

static int read_file(struct arena *arena, int fd, const char *path, size_t limit, char **ret_text,
		     size_t *ret_len, struct err *err)
{
	int r = os_file_read(arena, fd, limit, ret_text, ret_len);

	return r < 0 ? err_set(err, r, "read \"%s\"", path) : 0;
}

/*
 * @as_caller: --rootless true: what the caller's own start would do; otherwise root's is shown,
 *             whoever asks
 */
static int get_facts(struct arena *arena, const char *path, bool as_caller, struct facts *ret,
		     struct err *err)
{
	defer_close int fd = -EBADF;
	size_t len;
	char *text;

	if (!path) {
		if (facts_read(arena, "", ret, err) < 0)
			return err->code;
		if (ret->rootless && !as_caller)
			facts_as_root(ret);
		return 0;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_sys(err, "open facts \"%s\"", path);
	if (read_file(arena, fd, path, FACTS_MAX_BYTES, &text, &len, err) < 0)
		return err->code;
	return facts_load(arena, text, len, ret, err);
}

static int get_config(struct arena *arena, const struct launch_args *args, const char *bundle,
		      struct config **ret, struct err *err)
{
	const char *path =
		args->config ? args->config : arena_printf(arena, "%s/config.json", bundle);
	defer_close int fd = -EBADF;
	size_t len;
	char *text;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		err_sys(err, "open \"%s\"", path);
		return err_hint(err, "tare-oci spec --bundle %s writes one to start from", bundle);
	}
	if (read_file(arena, fd, path, CONFIG_MAX_BYTES, &text, &len, err) < 0)
		return err->code;
	return config_read(arena, text, len, ret, err);
}

/* The path without links, as create has it. Return: 0; -errno */
static int resolve(const char *path, char *buf, size_t size)
{
	defer_close int fd = open(path, O_PATH | O_CLOEXEC);

	return fd < 0 ? -errno : os_fd_path(fd, buf, size);
}

/*
 * The paths that create would find, and where something is missing (it may be for another host)
 * what is written.
 */
static int settle_paths(struct arena *arena, struct create_options *o, struct err *err)
{
	char path[PATH_MAX];
	int r = resolve(o->bundle, path, sizeof(path));

	if (r < 0)
		return err_set(err, r, "open the bundle \"%s\"", o->bundle);
	o->bundle = arena_strdup(arena, path);
	if (o->pid_file) {
		if (path_absolute(o->pid_file, path, sizeof(path), &o->pid_file, err) < 0)
			return err->code;
		o->pid_file = arena_strdup(arena, o->pid_file);
	}
	return 0;
}

static const char *find_rootfs(struct arena *arena, const char *bundle, const char *written)
{
	const char *path =
		written[0] == '/' ? written : arena_printf(arena, "%s/%s", bundle, written);
	char found[PATH_MAX];

	return resolve(path, found, sizeof(found)) == 0 ? arena_strdup(arena, found) : path;
}

static int explain(struct cli *cli, const struct args *args, const char *id,
		   enum explain_format format, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	struct create_options o = launch_options(cli, &args->launch, id, !args->create);
	struct plan plan = { 0 };
	struct config *config;
	struct facts facts;
	struct plan_input in = { .facts = &facts, .options = &o };
	int r;

	o.cgroups = cli->cgroups;
	r = get_facts(&arena, args->facts, cli->rootless && strcmp(cli->rootless, "true") == 0,
		      &facts, err);
	if (r == 0 && args->print_facts) {
		fputs(facts_print(&arena, &facts), stdout);
		return 0;
	}
	if (r == 0)
		r = settle_paths(&arena, &o, err);
	if (r == 0)
		r = get_config(&arena, &args->launch, o.bundle, &config, err);
	if (r < 0)
		return r;

	in.config = config;
	o.rootfs = find_rootfs(&arena, o.bundle, config->root.path);
	r = plan_create(&plan, &in, err);
	if (r == 0)
		r = plan_check(&plan, err);
	if (r == 0)
		explain_plan(stdout, &plan, &o, format, isatty(STDOUT_FILENO));
	plan_clear(&plan);
	return r;
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	const char *id = words->n ? words->words[0] : "example";
	enum explain_format format = EXPLAIN_TEXT;

	if (container_id_check(id, err) < 0)
		return err->code;
	if (a->format && explain_format_parse(a->format, &format, err) < 0)
		return err->code;
	return explain(cli, a, id, format, err);
}

#define EXPLAIN_OPTION(word, arg, help, type, member)                                              \
	{                                                                                          \
		word, 0, arg, help, option_set_##type, offsetof(struct args, member)               \
	}

static const struct option options[] = {
	LAUNCH_OPTIONS,
	LAUNCH_OPTION("detach", 'd', NULL, "explain run --detach", switch, detach),
	EXPLAIN_OPTION("create", NULL, "explain create and start in place of run", switch, create),
	EXPLAIN_OPTION("format", "FORMAT", "text (default), json, or sh: a script that does it",
		       text, format),
	EXPLAIN_OPTION("facts", "FILE", "plan for the host that these facts are of", text, facts),
	EXPLAIN_OPTION("print-facts", NULL, "show the facts of this host, for --facts elsewhere",
		       switch, print_facts),
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_explain = {
	.name = "explain",
	.operands = "[ID]",
	.max_operands = 1,
	.summary = "show each step of a start, and the command a person could type for it",
	.options = options,
	.records_nothing = true,
	.run = run,
};
