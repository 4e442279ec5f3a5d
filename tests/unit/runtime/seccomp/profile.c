/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/seccomp/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX 65536

const struct config_seccomp *profile_read(struct arena *arena, const char *text)
{
	char *doc = arena_printf(
		arena, "{'ociVersion':'1.3.0','root':{'path':'rootfs'},'linux':{'seccomp':%s}}",
		text);
	struct err err = ERR_INIT;
	struct config *config;

	for (char *quote = doc; (quote = strchr(quote, '\'')); quote++)
		*quote = '"';
	if (config_read(arena, doc, strlen(doc), &config, &err) < 0) {
		fprintf(stderr, "%s: %s\n", err.pointer, err.text);
		abort();
	}
	return &config->linux_.seccomp;
}

const struct config_seccomp *profile_file(struct arena *arena, const char *name)
{
	const char *dir = getenv("TEST_DATA");
	char *text = arena_alloc(arena, FILE_MAX);
	FILE *file = fopen(arena_printf(arena, "%s/%s", dir ? dir : "tests/data", name), "re");

	if (!file) {
		perror(name);
		abort();
	}
	text[fread(text, 1, FILE_MAX - 1, file)] = '\0';
	fclose(file);
	return profile_read(arena, text);
}
