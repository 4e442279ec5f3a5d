/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `login`, `logout`: name and password for a registry, kept where podman and docker find them too. */
#include "cli/cmd/registry.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>

/* Longer than any token that is used as a password */
#define PASSWORD_MAX 32768

struct args {
	const char *username, *password;
	bool password_stdin;
	struct registry_args registry;
};

/* ---- asking ----------------------------------------------------------------------------------------------------- */

/* One line without its end. @buf: of @size bytes. Return: 0; -EINVAL if there is none */
static int read_line(char *buf, size_t size, const char *what, struct err *err)
{
	if (!fgets(buf, (int)size, stdin))
		return err_user(err, "there is no %s on standard input", what);
	buf[strcspn(buf, "\r\n")] = '\0';
	return *buf ? 0 : err_user(err, "the %s is empty", what);
}

static int ask(const char *what, bool hidden, char *buf, size_t size, struct err *err)
{
	struct termios before, silent;
	int r;

	if (!isatty(STDIN_FILENO)) {
		err_user(err, "the %s is not given, and nobody can be asked", what);
		return err_hint(err, "--username NAME, --password-stdin");
	}
	fprintf(stderr, "%s: ", what);
	if (!hidden)
		return read_line(buf, size, what, err);
	if (tcgetattr(STDIN_FILENO, &before) < 0)
		return err_sys(err, "silence the terminal");
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) < 0)
		return err_sys(err, "silence the terminal");
	r = read_line(buf, size, what, err);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	return r;
}

static int get_credential(const struct args *a, char *name, size_t name_size, char *password,
			  size_t password_size, struct credential *ret, struct err *err)
{
	int r = 0;

	if (a->password && a->password_stdin)
		return err_user(err, "\"--password\" and \"--password-stdin\" exclude each other");
	if (a->username)
		*ret = (struct credential){ .username = a->username };
	else
		r = a->password_stdin ? err_user(err, "\"--password-stdin\" needs \"--username\"")
				      : ask("name", false, name, name_size, err);
	if (r < 0)
		return r;
	if (!a->username)
		ret->username = name;
	if (strchr(ret->username, ':'))
		return err_user(err, "a name can't have a \":\" in it");
	ret->password = a->password ? a->password : password;
	if (a->password)
		return 0;
	return a->password_stdin ? read_line(password, password_size, "password", err)
				 : ask("password", true, password, password_size, err);
}

/* ---- the registry ----------------------------------------------------------------------------------------------- */

/* "docker.io" if none is given; a name with a path or an address is a mistake. */
static int registry_of(struct arena *arena, const struct operands *words, const char **ret,
		       struct err *err)
{
	const char *given = words->n ? words->words[0] : "docker.io";
	struct reference reference;
	int r = strchr(given, '/') ? err_user(err, "\"%s\" is more than a registry's name", given)
				   : reference_parse(arena, arena_printf(arena, "%s/x", given),
						     &reference, err);

	if (r == 0 && !reference.registry)
		r = err_user(err, "\"%s\" is no registry's name", given);
	if (r < 0)
		return err_hint(
			err, "write the registry alone, such as \"quay.io\" or \"localhost:5000\"");
	*ret = reference.registry;
	return 0;
}

static int check(const struct args *a, const char *registry, const struct credential *credential,
		 struct arena *arena, struct err *err)
{
	struct registry_access access = registry_access_of(&a->registry);

	return transfer_login(arena, registry, &access, credential, err);
}

static int run_login(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	defer_arena struct arena arena = { 0 };
	char name[256], password[PASSWORD_MAX];
	struct credential_places places;
	struct credential credential = { 0 };
	const char *registry;
	int r = registry_of(&arena, words, &registry, err);

	if (r == 0)
		r = get_credential(a, name, sizeof(name), password, sizeof(password), &credential,
				   err);
	if (r == 0)
		r = check(a, registry, &credential, &arena, err);
	credential_places_find(&arena, a->registry.authfile, &places);
	if (r == 0)
		r = credential_store(&arena, &places, registry, &credential, err);
	explicit_bzero(password, sizeof(password));
	if (r < 0)
		return r;
	printf("logged in to %s\n", registry);
	return 0;
}

static int run_logout(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	defer_arena struct arena arena = { 0 };
	struct credential_places places;
	const char *registry, *left;
	int r = registry_of(&arena, words, &registry, err);

	credential_places_find(&arena, a->registry.authfile, &places);
	if (r == 0)
		r = credential_erase(&arena, &places, registry, &left, err);
	if (r < 0)
		return err_context(err, "log out of \"%s\"", registry);
	if (left)
		fprintf(stderr, "\"%s\" still has a name and a password for %s\n", left, registry);
	if (r == 0 && !left)
		return err_user(err, "nobody is logged in to %s", registry);
	printf("logged out of %s\n", registry);
	return 0;
}

/* ---- commands --------------------------------------------------------------------------------------------------- */

static const struct option login_options[] = {
	{ "username", 'u', "NAME", "who logs in", option_set_text,
	  offsetof(struct args, username) },
	{ "password", 'p', "WORD",
	  "others see it in the list of processes; better: --password-stdin", option_set_text,
	  offsetof(struct args, password) },
	{ "password-stdin", 0, NULL, "read the password from standard input", option_set_switch,
	  offsetof(struct args, password_stdin) },
	REGISTRY_OPTIONS(struct args, registry),
	OPTION_END,
};

static const struct option logout_options[] = {
	{ "authfile", 0, "FILE", "where names and passwords are kept", option_set_text,
	  offsetof(struct args, registry.authfile) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_login = {
	.name = "login",
	.operands = "[REGISTRY]",
	.max_operands = 1,
	.summary = "keep a name and a password for a registry",
	.details = "They are tried first. Without REGISTRY it is docker.io.\n",
	.options = login_options,
	.records_nothing = true,
	.needs_no_ids = true,
	.run = run_login,
};

const struct command command_logout = {
	.name = "logout",
	.operands = "[REGISTRY]",
	.max_operands = 1,
	.summary = "forget the name and the password for a registry",
	.options = logout_options,
	.records_nothing = true,
	.needs_no_ids = true,
	.run = run_logout,
};
