/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding a command by its name, the help that the tables give, and what several commands need.
 */
#include "base/near.h"
#include "base/version.h"
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

/* ---- finding ------------------------------------------------------------------------------------------------------ */

/* Is @name the first of the words, or the first two with a blank between them? Return: how many; 0 */
static int matches(const char *name, int argc, char *const *argv)
{
	size_t len = strlen(argv[0]);

	if (strcmp(name, argv[0]) == 0)
		return 1;
	if (argc < 2 || strncmp(name, argv[0], len) != 0 || name[len] != ' ')
		return 0;
	return strcmp(name + len + 1, argv[1]) == 0 ? 2 : 0;
}

/* What @name has behind "@group "; NULL if it is not of that group */
static const char *in_group(const char *name, const char *group)
{
	size_t len = strlen(group);

	return strncmp(name, group, len) == 0 && name[len] == ' ' ? name + len + 1 : NULL;
}

/* What the command is called in that group, by its name or its alias; NULL */
static const char *name_in_group(const struct command *command, const char *group)
{
	const char *name = in_group(command->name, group);

	return name || !command->alias ? name : in_group(command->alias, group);
}

static bool is_group(const struct program *program, const char *word)
{
	for (size_t i = 0; program->commands[i]; i++) {
		if (name_in_group(program->commands[i], word))
			return true;
	}
	return false;
}

static const struct command *refuse_in_group(const struct program *program, int argc,
					     char *const *argv, struct err *err)
{
	struct near near;

	if (argc < 2) {
		err_user(err, "\"%s\" needs a command", argv[0]);
		err_hint(err, "%s help %s lists them", program->name, argv[0]);
		return NULL;
	}
	err_user(err, "unknown command \"%s %s\"", argv[0], argv[1]);
	near_init(&near, argv[1]);
	for (size_t i = 0; program->commands[i]; i++) {
		const char *name = name_in_group(program->commands[i], argv[0]);

		if (name)
			near_offer(&near, name);
	}
	if (near.best)
		err_hint(err, "did you mean %s %s?", argv[0], near.best);
	else
		err_hint(err, "%s help %s lists them", program->name, argv[0]);
	return NULL;
}

static const struct command *refuse_unknown(const struct program *program, const char *name,
					    struct err *err)
{
	struct near near;

	err_user(err, "unknown command \"%s\"", name);
	near_init(&near, name);
	for (size_t i = 0; program->commands[i]; i++) {
		if (!program->commands[i]->hidden)
			near_offer(&near, program->commands[i]->name);
	}
	if (near.best)
		err_hint(err, "did you mean %s?", near.best);
	return NULL;
}

const struct command *command_find(const struct program *program, int argc, char *const *argv,
				   int *ret_used, struct err *err)
{
	for (size_t i = 0; program->commands[i]; i++) {
		const struct command *command = program->commands[i];
		int used = matches(command->name, argc, argv);

		if (!used && command->alias)
			used = matches(command->alias, argc, argv);
		if (used) {
			*ret_used = used;
			return command;
		}
	}
	if (is_group(program, argv[0]))
		return refuse_in_group(program, argc, argv, err);
	return refuse_unknown(program, argv[0], err);
}

/* ---- help --------------------------------------------------------------------------------------------------------- */

void help_program(const struct program *program)
{
	printf("%s %s %s\n\n", program->name, tare_version, program->does);
	printf("usage: %s [GLOBAL OPTIONS] COMMAND %s\n\ncommands:\n", program->name,
	       program->usage);
	for (size_t i = 0; program->commands[i]; i++) {
		if (!program->commands[i]->hidden)
			printf("  %-31s %s\n", program->commands[i]->name,
			       program->commands[i]->summary);
	}
	printf("  %-31s %s\n\nglobal options:\n", "help [COMMAND]",
	       "show this, or the options of a command");
	options_print(stdout, program->global_options);
}

void help_command(const struct program *program, const struct command *command)
{
	printf("%s %s: %s\n\n", program->name, command->name, command->summary);
	printf("usage: %s [GLOBAL OPTIONS] %s [OPTIONS] %s\n", program->name, command->name,
	       command->operands);
	if (command->alias)
		printf("alias: %s %s\n", program->name, command->alias);
	printf("\noptions:\n");
	options_print(stdout, command->options);
	if (command->details)
		printf("\n%s\n", command->details);
}

bool help_group(const struct program *program, const char *word)
{
	if (!is_group(program, word))
		return false;
	printf("usage: %s [GLOBAL OPTIONS] %s COMMAND %s\n\ncommands:\n", program->name, word,
	       program->usage);
	for (size_t i = 0; program->commands[i]; i++) {
		const char *name = name_in_group(program->commands[i], word);

		if (name)
			printf("  %-31s %s\n", name, program->commands[i]->summary);
	}
	return true;
}

/* ---- what several commands need ----------------------------------------------------------------------------------- */

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
