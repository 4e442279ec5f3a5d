/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter PROFILE - print floor_filter.h: the seccomp program of a profile as an array, for the floor to compile in.
 *
 * PROFILE is a file with a linux.seccomp object. The compiler is ours, because the floor shall load the fastest program
 * that we know, not libseccomp's list.
 */
#include "runtime/seccomp.h"
#include "spec/config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_FORMAT                                                                              \
	"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"rootfs\"},\"linux\":{\"seccomp\":%s}}"

/* The profile as a whole config, since that is what config_read() takes. */
static char *read_as_config(struct arena *arena, const char *path)
{
	defer_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = arena_alloc(arena, CONFIG_MAX_BYTES);
	ssize_t len;

	if (fd < 0)
		return NULL;
	len = read(fd, text, CONFIG_MAX_BYTES - 1);
	return len > 0 ? arena_printf(arena, CONFIG_FORMAT, text) : NULL;
}

static void print_program(const struct seccomp_program *program)
{
	printf("/* Made by bench/filter.c. */\n#include <linux/filter.h>\n\n"
	       "static struct sock_filter floor_filter[] = {\n");
	for (size_t i = 0; i < program->n; i++) {
		const struct sock_filter *insn = &program->insns[i];

		printf("\t{ 0x%x, %u, %u, 0x%x },\n", insn->code, insn->jt, insn->jf, insn->k);
	}
	printf("};\n");
}

int main(int argc, char **argv)
{
	defer_arena struct arena arena = { 0 };
	struct seccomp_program program;
	struct err err = ERR_INIT;
	struct config *config;
	char *text;

	if (argc != 2) {
		fprintf(stderr, "usage: filter PROFILE\n");
		return 2;
	}
	text = read_as_config(&arena, argv[1]);
	if (!text) {
		perror(argv[1]);
		return 1;
	}
	if (config_read(&arena, text, strlen(text), &config, &err) < 0 ||
	    seccomp_compile(&arena, &config->linux_.seccomp, &program, &err) < 0) {
		fprintf(stderr, "filter: %s\n", err.text);
		return 1;
	}
	print_program(&program);
	return 0;
}
