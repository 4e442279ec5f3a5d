/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/helper.h"

#include "base/json_write.h"
#include "base/utf8.h"
#include "os/file.h"
#include "os/process.h"
#include "os/spawn.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

/* What helpers say, and docker looks for, when they know nothing. */
#define NOT_FOUND "credentials not found"
/* The name under which a helper gives a token of identity. */
#define TOKEN_USER "<token>"
/* docker's own name for its registry; with helpers it knows no other. */
#define DOCKER_SERVER "https://index.docker.io/v1/"

/* It becomes part of a program's name, and comes from a file. */
static int find_program(const char *helper, char *buf, size_t size, struct err *err)
{
	char name[NAME_MAX + 1], shown[100];

	utf8_printable(helper, shown, sizeof(shown));
	if (!*helper || strchr(helper, '/') ||
	    snprintf(name, sizeof(name), "docker-credential-%s", helper) >= (int)sizeof(name))
		return err_user(err, "\"%s\" is no name of a credential helper", shown);
	if (os_find_program(name, buf, size) < 0) {
		err_user_code(err, -ENOENT, "find the credential helper \"docker-credential-%s\"",
			      shown);
		return err_hint(
			err,
			"install it where PATH finds it, or take it out of the file that names it");
	}
	return 0;
}

static int read_answer(struct arena *arena, int fd, char **ret, struct err *err)
{
	size_t len;
	int r = os_file_read(arena, fd, HELPER_MAX_BYTES, ret, &len);

	return r < 0 ? err_set(err, r, "read what it answers") : 0;
}

/* Run it with @input. Return: its exit status, and what it has printed; -errno */
static int run(struct arena *arena, const char *path, const char *verb, const char *input,
	       char **ret_output, struct err *err)
{
	char *argv[] = { (char *)(uintptr_t)path, (char *)(uintptr_t)verb, NULL };
	defer_close int in = os_memfd_text("credential", &input, 1);
	int output[2], status, r, read_result;
	pid_t pid;

	if (in < 0)
		return err_set(err, in, "prepare its input");
	if (pipe2(output, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	r = os_spawn(&(struct os_spawn){ .path = path,
					 .argv = argv,
					 .envp = environ,
					 .cwd = "/",
					 .stdio = { in, output[1], STDERR_FILENO },
					 .independent = true },
		     &pid);
	close(output[1]);
	read_result = r < 0 ? 0 : read_answer(arena, output[0], ret_output, err);
	close(output[0]);
	if (r < 0)
		return err_set(err, r, "run it");
	r = os_reap(pid, &status);
	if (r < 0)
		return err_set(err, r, "wait for it");
	if (read_result < 0)
		return read_result;
	return WIFEXITED(status) ? WEXITSTATUS(status) : err_user(err, "it was killed");
}

/* Return: 1 if it did what it was told; 0 if it does not know the registry; -errno, with what it says */
static int call(struct arena *arena, const char *helper, const char *verb, const char *input,
		char **ret_output, struct err *err)
{
	char path[PATH_MAX], shown[200];
	int r = find_program(helper, path, sizeof(path), err);

	if (r < 0)
		return r;
	r = run(arena, path, verb, input, ret_output, err);
	if (r == 0)
		return 1;
	if (r > 0 && strstr(*ret_output, NOT_FOUND))
		return 0;
	if (r > 0) {
		size_t len = strlen(*ret_output);

		while (len && (*ret_output)[len - 1] == '\n')
			(*ret_output)[--len] = '\0';
		utf8_printable(*ret_output, shown, sizeof(shown));
		err_user(err, "exit status %d, \"%s\"", r, shown);
	}
	return err_context(err, "ask the credential helper \"%s\" to %s", path, verb);
}

static int read_credential(struct arena *arena, const char *helper, const char *text,
			   struct credential *ret, struct err *err)
{
	const struct json *root;
	const char *user, *secret;
	int r = json_parse(arena, text, strlen(text), &root, err);

	if (r < 0)
		return err_context(err, "read what credential helper \"%s\" answers", helper);
	user = json_string(json_member(root, "Username"));
	secret = json_string(json_member(root, "Secret"));
	if (!user || !secret)
		return err_user(err, "credential helper \"%s\" answers without name or secret",
				helper);
	*ret = (struct credential){ .from = helper };
	if (!strcmp(user, TOKEN_USER)) {
		ret->identity_token = secret;
		return 1;
	}
	ret->username = user;
	ret->password = secret;
	return *user || *secret;
}

int helper_get(struct arena *arena, const char *helper, const char *registry,
	       struct credential *ret, struct err *err)
{
	char *text;
	int r = call(arena, helper, "get", registry, &text, err);

	if (r == 0 && !strcmp(registry, "docker.io"))
		r = call(arena, helper, "get", DOCKER_SERVER, &text, err);
	return r > 0 ? read_credential(arena, helper, text, ret, err) : r;
}

int helper_store(struct arena *arena, const char *helper, const char *registry,
		 const struct credential *credential, struct err *err)
{
	bool is_token = credential->identity_token != NULL;
	struct json_writer w;
	char *text;
	int r;

	json_writer_init(&w, arena, 0);
	json_object_begin(&w, NULL);
	json_add_string(&w, "ServerURL", registry);
	json_add_string(&w, "Username", is_token ? TOKEN_USER : credential->username);
	json_add_string(&w, "Secret", is_token ? credential->identity_token : credential->password);
	json_object_end(&w);
	r = call(arena, helper, "store", json_writer_text(&w, NULL), &text, err);
	if (r == 0)
		return err_user(err, "credential helper \"%s\" does not store: %s", helper,
				NOT_FOUND);
	return r < 0 ? r : 0;
}

int helper_erase(struct arena *arena, const char *helper, const char *registry, struct err *err)
{
	struct credential known;
	char *text;
	/* Most of them succeed at erasing what they never had. */
	int r = helper_get(arena, helper, registry, &known, err);

	return r > 0 ? call(arena, helper, "erase", registry, &text, err) : r;
}
