/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of commands, finding one by its name, the help that the tables give, and what several
 * commands need.
 */
#include "base/near.h"
#include "base/version.h"
#include "cli/oci/command.h"

#include <stdio.h>
#include <string.h>

const struct command *const commands[] = {
	&command_create,
	&command_start,
	&command_run,
	&command_exec_cli,
	&command_state,
	&command_kill,
	&command_delete,
	&command_list,
	&command_ps,
	&command_pause,
	&command_resume,
	&command_update,
	&command_events,
	&command_checkpoint,
	&command_restore,
	&command_spec,
	&command_features,
	&command_explain,
	NULL,
};

static const struct command *refuse_unknown(const char *name, struct err *err)
{
	struct near near;

	err_user(err, "unknown command \"%s\"", name);
	near_init(&near, name);
	for (size_t i = 0; commands[i]; i++)
		near_offer(&near, commands[i]->name);
	if (near.best)
		err_hint(err, "did you mean %s?", near.best);
	return NULL;
}

const struct command *command_find(const char *name, struct err *err)
{
	for (size_t i = 0; commands[i]; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return refuse_unknown(name, err);
}

void help_program(void)
{
	printf("tare-oci %s runs containers from OCI bundles\n\n", tare_version);
	printf("usage: tare-oci [GLOBAL OPTIONS] COMMAND [OPTIONS] [ID]\n\ncommands:\n");
	for (size_t i = 0; commands[i]; i++)
		printf("  %-31s %s\n", commands[i]->name, commands[i]->summary);
	printf("  %-31s %s\n\nglobal options:\n", "help [COMMAND]",
	       "show this, or the options of a command");
	options_print(stdout, global_options);
}

void help_command(const struct command *command)
{
	printf("tare-oci %s: %s\n\n", command->name, command->summary);
	printf("usage: tare-oci [GLOBAL OPTIONS] %s [OPTIONS] %s\n\noptions:\n", command->name,
	       command->operands);
	options_print(stdout, command->options);
	if (command->details)
		printf("\n%s\n", command->details);
}

int path_absolute(const char *path, char *buf, size_t size, const char **ret_path, struct err *err)
{
	size_t len;

	if (path[0] == '/') {
		*ret_path = path;
		return 0;
	}
	if (!getcwd(buf, size))
		return err_sys(err, "find the directory that \"%s\" is relative to", path);
	len = strlen(buf);
	if ((size_t)snprintf(buf + len, size - len, "/%s", path) >= size - len)
		return err_set(err, -ENAMETOOLONG, "make \"%s\" absolute", path);
	*ret_path = buf;
	return 0;
}

int write_stdout(const char *text, size_t len, struct err *err)
{
	ssize_t n;

	while (len > 0) {
		n = write(STDOUT_FILENO, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "write to standard output");
		text += n;
		len -= (size_t)n;
	}
	return 0;
}
