/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tare-oci: an OCI runtime with runc's command line. */
#include "base/guard.h"
#include "base/version.h"
#include "cli/oci/command.h"

#include <stdio.h>
#include <string.h>

static const struct option global_options[] = {
	{ "root", 0, "DIR", "where containers are recorded (default " DEFAULT_ROOT ")",
	  option_set_text, offsetof(struct cli, given_root) },
	{ "log", 0, "FILE", "append warnings and errors to FILE", option_set_text,
	  offsetof(struct cli, log_path) },
	{ "log-format", 0, "FORMAT", "of the log: text (default) or json", option_set_text,
	  offsetof(struct cli, log_format) },
	{ "debug", 0, NULL, "log what is decided on the way, too", option_set_switch,
	  offsetof(struct cli, debug) },
	{ "systemd-cgroup", 0, NULL, "cgroups by systemd: linux.cgroupsPath is SLICE:PREFIX:NAME",
	  option_set_switch, offsetof(struct cli, systemd_cgroup) },
	{ "cgroup-manager", 0, "WORD", "who makes cgroups: cgroupfs (default), systemd or disabled",
	  option_set_text, offsetof(struct cli, cgroup_manager) },
	{ "rootless", 0, "WORD",
	  "without a cgroup of its own a container is an error: false, always; true or auto "
	  "(default), for root only",
	  option_set_text, offsetof(struct cli, rootless) },
	{ "version", 'v', NULL, "show the version", option_set_switch,
	  offsetof(struct cli, version) },
	OPTION_END,
};

/* Where containers are recorded if nobody says where. @needed: by the command */
static int default_root(bool needed, char *buf, size_t size, const char **ret_root, struct err *err)
{
	const char *runtime_dir;
	int r = program_runtime_dir(&runtime_dir, err);

	*ret_root = DEFAULT_ROOT;
	if (r < 0)
		return needed ? r : 0;
	if (!runtime_dir)
		return 0;
	if ((size_t)snprintf(buf, size, "%s/tare-oci", runtime_dir) >= size)
		return err_set(err, -ENAMETOOLONG, "use XDG_RUNTIME_DIR");
	*ret_root = buf;
	return 0;
}

static int settle_root(struct cli *cli, bool needed, char *buf, size_t size, struct err *err)
{
	const char *given = cli->given_root;

	cli->root_is_default = !given;
	if (!given && default_root(needed, buf, size, &given, err) < 0)
		return err->code;
	return program_settle_root("--root", given, buf, size, &cli->root, err);
}

/*
 * What a later version will do must not be ignored by this one: the caller would believe that it
 * was done. Nor must a word that means nothing.
 */
static int refuse_unsupported(const struct cli *cli, struct err *err)
{
	if (!cli->rootless || strcmp(cli->rootless, "false") == 0 ||
	    strcmp(cli->rootless, "auto") == 0 || strcmp(cli->rootless, "true") == 0)
		return 0;
	err_user(err, "unknown word \"%s\" for \"--rootless\"", cli->rootless);
	return err_hint(err, "it is true, false or auto");
}

static int settle(struct cli *cli, const struct command *command, struct program_paths *paths,
		  struct err *err)
{
	int r = settle_root(cli, !command->records_nothing, paths->root, sizeof(paths->root), err);

	if (r == 0)
		r = program_settle_cgroups(cli, err);
	return r == 0 ? refuse_unsupported(cli, err) : r;
}

/* go-runc reads the lines by their first words. */
static int show_version(void)
{
	printf("tare-oci version %s\ncommit: %s\nspec: %s\n", tare_version, tare_commit,
	       SPEC_VERSION);
	if (guards_are_removable())
		printf("unsafe: guards can be removed; for tests only\n");
	return 0;
}

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "tare-oci",
		.does = "runs containers from OCI bundles",
		.usage = "[OPTIONS] [ID]",
		.global_options = global_options,
		.commands = commands,
		.settle = settle,
		.show_version = show_version,
	};

	program_main(&program, argc, argv);
}
