/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options_parse() with any words: the input's lines are argv. It must not crash, and must say why
 * it refuses.
 */
#include "cli/options.h"
#include "promise.h"

#include <string.h>

#define WORDS_MAX 16

struct target {
	const char *text;
	bool on;
	unsigned number;
};

static const struct option table[] = {
	{ "text", 't', "TEXT", "some text", option_set_text, offsetof(struct target, text) },
	{ "on", 0, NULL, "a switch", option_set_switch, offsetof(struct target, on) },
	{ "number", 'n', "N", "a number", option_set_unsigned, offsetof(struct target, number) },
	OPTION_END,
};

static void check(int argc, char *const *argv, bool first)
{
	struct operands words = { .n = 0 };
	struct target target = { .text = NULL };
	struct err err = ERR_INIT;
	int used = 0;
	int r = options_parse(table, &target, argc, argv, first, &words, &used, &err);

	if (r < 0) {
		PROMISE(err.kind == ERR_USER && err.text[0]);
		return;
	}
	PROMISE(r == OPTIONS_HELP || (first ? used <= argc : used == argc));
	PROMISE(words.n <= (size_t)argc);
	PROMISE(!first || words.n == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[512], *argv[WORDS_MAX + 1] = { NULL }, *rest = text;
	int argc = 0;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	while (rest && argc < WORDS_MAX)
		argv[argc++] = strsep(&rest, "\n");
	check(argc, argv, false);
	check(argc, argv, true);
	return 0;
}
