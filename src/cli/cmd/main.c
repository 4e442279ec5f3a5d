/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tare: images and containers without a daemon.
 *
 * Two directories are its own: --root outlives the machine's next start, --runroot does not. A user without root has both
 * below his own.
 */
#include "base/guard.h"
#include "base/version.h"
#include "cli/cmd/command.h"
#include "engine/rootless.h"

#include <stdio.h>

#define DEFAULT_STATE_ROOT "/var/lib/tare"
#define DEFAULT_RUNROOT    "/run/tare"

static const struct option global_options[] = {
	{ "root", 0, "DIR", "where images and containers are kept (default " DEFAULT_STATE_ROOT ")",
	  option_set_text, offsetof(struct cli, given_root) },
	{ "runroot", 0, "DIR", "for what dies with the machine (default " DEFAULT_RUNROOT ")",
	  option_set_text, offsetof(struct cli, given_runroot) },
	{ "log", 0, "FILE", "append warnings and errors to FILE", option_set_text,
	  offsetof(struct cli, log_path) },
	{ "log-format", 0, "FORMAT", "of the log: text (default) or json", option_set_text,
	  offsetof(struct cli, log_format) },
	{ "debug", 'D', NULL, "log what is decided on the way, too", option_set_switch,
	  offsetof(struct cli, debug) },
	{ "cgroup-manager", 0, "WORD", "who makes cgroups: cgroupfs (default), systemd or disabled",
	  option_set_text, offsetof(struct cli, cgroup_manager) },
	{ "version", 'v', NULL, "show the version", option_set_switch,
	  offsetof(struct cli, version) },
	OPTION_END,
};

/*
 * A user's directory: $@variable/tare, or where that is not set $HOME/@below_home/tare. A relative one is invalid and to be
 * ignored (XDG Base Directory).
 */
static int user_directory(const char *variable, const char *below_home, char *buf, size_t size,
			  struct err *err)
{
	const char *dir = getenv(variable), *home = getenv("HOME");
	int n;

	if (dir && *dir == '/') {
		n = snprintf(buf, size, "%s/tare", dir);
	} else if (home && *home == '/') {
		n = snprintf(buf, size, "%s/%s/tare", home, below_home);
	} else {
		err_user(err, "find the place of uid %u's images", (unsigned)geteuid());
		return err_hint(err, "set HOME or %s, or give --root DIR", variable);
	}
	return (size_t)n < size ? 0 : err_set(err, -ENAMETOOLONG, "use %s", variable);
}

/* What was given on the command line, or else in the environment; NULL: neither */
static const char *given(const char *option, const char *variable)
{
	const char *value = option ? option : getenv(variable);

	return value && (*value || option) ? value : NULL;
}

static int settle_root(struct cli *cli, bool is_user, char *buf, size_t size, struct err *err)
{
	const char *root = given(cli->given_root, "TARE_ROOT");

	cli->root_is_default = !root;
	if (!root && is_user && user_directory("XDG_DATA_HOME", ".local/share", buf, size, err) < 0)
		return err->code;
	if (!root)
		root = is_user ? buf : DEFAULT_STATE_ROOT;
	return program_settle_root("--root", root, buf, size, &cli->root, err);
}

static int settle_runroot(struct cli *cli, const char *runtime_dir, char *buf, size_t size,
			  struct err *err)
{
	const char *runroot = given(cli->given_runroot, "TARE_RUNROOT");

	if (!runroot && runtime_dir) {
		if ((size_t)snprintf(buf, size, "%s/tare", runtime_dir) >= size)
			return err_set(err, -ENAMETOOLONG, "use XDG_RUNTIME_DIR");
		runroot = buf;
	}
	return program_settle_root("--runroot", runroot ? runroot : DEFAULT_RUNROOT, buf, size,
				   &cli->runroot, err);
}

static int settle(struct cli *cli, const struct command *command, struct program_paths *paths,
		  struct err *err)
{
	const char *runtime_dir = NULL;
	int r = 0;

	if (!given(cli->given_runroot, "TARE_RUNROOT"))
		r = program_runtime_dir(&runtime_dir, err);
	if (r < 0 && command->records_nothing)
		r = 0;
	else if (r < 0)
		return err_hint(err, "set XDG_RUNTIME_DIR, or give --runroot DIR");
	r = settle_root(cli, geteuid() != 0 || runtime_dir, paths->root, sizeof(paths->root), err);
	if (r == 0)
		r = settle_runroot(cli, runtime_dir, paths->runroot, sizeof(paths->runroot), err);
	return r == 0 ? program_settle_cgroups(cli, err) : r;
}

static int begin(const struct command *command, struct err *err)
{
	return command->needs_no_ids ? 0 : rootless_enter(err);
}

static int show_version(void)
{
	printf("tare version %s\ncommit: %s\n", tare_version, tare_commit);
	if (guards_are_removable())
		printf("unsafe: guards can be removed; for tests only\n");
	return 0;
}

int main(int argc, char **argv)
{
	const struct program program = {
		.name = "tare",
		.does = "runs containers from images, without a daemon",
		.usage = "[OPTIONS] ...",
		.global_options = global_options,
		.commands = commands,
		.begin = begin,
		.settle = settle,
		.show_version = show_version,
		.hand_over = hand_over,
	};

	program_main(&program, argc, argv);
}
