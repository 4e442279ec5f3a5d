/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command lines by table. Each command has one table of options; it feeds the parser, `--help` and
 * the suggestion for a misspelt name, so none of them can disagree with another.
 *
 * The grammar is the one that callers of runc rely on: a name may have one dash or two
 * (`-no-subreaper`), a value follows after `=` or as the next word, a switch takes `=true` or
 * `=false`, `--` ends the options. A later option replaces an earlier one. Letters of switches may share a dash
 * (`-it`); the last of them may be one that takes a value, as the next word.
 */
#ifndef TARE_CLI_OPTIONS_H
#define TARE_CLI_OPTIONS_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* option_set - put @value, borrowed for ever, into @member. Return: 0, or -EINVAL with *err */
typedef int option_set(void *member, const char *value, struct err *err);

struct option {
	const char *name; /* without dashes; NULL ends a table */
	char letter;      /* its one-letter form, or 0 */
	const char *arg;  /* what --help calls the value; NULL: a switch, true or false */
	const char *help; /* one line, lower case */
	option_set *set;
	size_t offset; /* of the member in the struct that the table is for */
};

#define OPTION_END                                                                                 \
	{                                                                                          \
		.name = NULL                                                                       \
	}

/* What an option that may be given several times was given: all of it, in order. Zeroed by who owns it. */
struct option_values {
	const char **items;
	size_t n;
	struct arena arena; /* owns the array */
};

/* Setters: const char *, bool, unsigned, struct option_values */
option_set option_set_text, option_set_switch, option_set_unsigned, option_set_values;

/* The words that are no options. The first few have their place in @words; operands_at() has all of them. */
struct operands {
	const char *words[4];
	size_t n;
	struct option_values more; /* those that @words has no room for */
	/* of a command that hands words on as they are: what is behind its first operand, NULL at the end */
	char *const *rest;
};

/* operands_at() - operand @i, which must be below n */
const char *operands_at(const struct operands *operands, size_t i);

/* What options_parse() found besides options that were set */
enum { OPTIONS_DONE, OPTIONS_HELP };

/*
 * options_parse() - read @argc words into the struct of one table
 * @table:  ends with OPTION_END; `--help` and `-h` are known without being in it
 * @target: the struct that the offsets count from
 * @first:  stop at the first operand (the global options), which is not taken
 * @ret_operands: the operands; with @first empty
 * @ret_used: how many words were read; all of them unless @first
 *
 * Return: OPTIONS_DONE; OPTIONS_HELP if help was asked for (the rest is not read); -EINVAL
 */
int options_parse(const struct option *table, void *target, int argc, char *const *argv, bool first,
		  struct operands *ret_operands, int *ret_used, struct err *err) MUST_CHECK;

/* options_find() - the option with this long or one-letter name (@len bytes), or NULL */
const struct option *options_find(const struct option *table, const char *name, size_t len);

/* options_print() - the part of --help that lists a table */
void options_print(FILE *to, const struct option *table);

#endif
