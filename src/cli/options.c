/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/options.h"

#include "base/near.h"
#include "base/num.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

int option_set_text(void *member, const char *value, struct err *err)
{
	*(const char **)member = value;
	return 0;
}

/* The words are those of Go's flag package, since callers written for runc may use any of them. */
int option_set_switch(void *member, const char *value, struct err *err)
{
	static const char *const yes[] = { "true", "1", "t", "T", "TRUE", "True" };
	static const char *const no[] = { "false", "0", "f", "F", "FALSE", "False" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (strcmp(value, yes[i]) == 0 || strcmp(value, no[i]) == 0) {
			*(bool *)member = strcmp(value, yes[i]) == 0;
			return 0;
		}
	}
	return err_user(err, "\"%s\" is neither true nor false", value);
}

int option_set_unsigned(void *member, const char *value, struct err *err)
{
	uint64_t number;

	if (num_parse_u64(value, 0, UINT_MAX, &number) < 0)
		return err_user(err, "\"%s\" is not a number from 0 to %u", value, UINT_MAX);
	*(unsigned *)member = (unsigned)number;
	return 0;
}

int option_set_values(void *member, const char *value, struct err *err)
{
	struct option_values *values = member;

	values->items =
		arena_grow(&values->arena, values->items, values->n, sizeof(*values->items));
	values->items[values->n++] = value;
	return 0;
}

static bool is_named(const struct option *option, const char *name, size_t len)
{
	if (len == 1 && option->letter && option->letter == *name)
		return true;
	return strlen(option->name) == len && memcmp(option->name, name, len) == 0;
}

const struct option *options_find(const struct option *table, const char *name, size_t len)
{
	for (; table->name; table++) {
		if (is_named(table, name, len))
			return table;
	}
	return NULL;
}

static bool is_help(const char *name, size_t len)
{
	return (len == 4 && memcmp(name, "help", 4) == 0) || (len == 1 && *name == 'h');
}

static int refuse_unknown(const struct option *table, const char *name, size_t len, struct err *err)
{
	char word[NEAR_MAX];
	struct near near;

	err_user(err, "unknown option \"%s%.*s\"", len > 1 ? "--" : "-", (int)len, name);
	if (len >= sizeof(word))
		return err->code;

	memcpy(word, name, len);
	word[len] = '\0';
	near_init(&near, word);
	for (; table->name; table++)
		near_offer(&near, table->name);
	if (near.best)
		err_hint(err, "did you mean --%s?", near.best);
	return err->code;
}

static int set(const struct option *option, void *target, const char *value, struct err *err)
{
	if (option->set((char *)target + option->offset, value, err) < 0)
		return err_context(err, "read option \"--%s\"", option->name);
	return 0;
}

/* Is it "-it": several letters, all of switches but for the last? */
static bool is_cluster(const struct option *table, const char *word)
{
	size_t len = strlen(word);

	if (word[0] != '-' || word[1] == '-' || len < 3)
		return false;
	for (size_t i = 1; i < len; i++) {
		const struct option *option = options_find(table, word + i, 1);

		if (!option || (option->arg && i + 1 < len))
			return false;
	}
	return true;
}

/* All letters but the last, which parse_one() is left with. Return: 0; -EINVAL */
static int set_switches(const struct option *table, void *target, const char *word, struct err *err)
{
	int r = 0;

	for (size_t i = 1; r == 0 && word[i + 1]; i++)
		r = set(options_find(table, word + i, 1), target, "true", err);
	return r;
}

/*
 * Read the option in argv[0], and its value if that is argv[1].
 * Return: how many words were read; 0 if it is a call for help; -EINVAL
 */
static int parse_one(const struct option *table, void *target, int argc, char *const *argv,
		     struct err *err)
{
	const char *name = argv[0] + (argv[0][1] == '-' ? 2 : 1);
	size_t len = strcspn(name, "=");
	const char *value = name[len] ? name + len + 1 : NULL;
	const struct option *option = options_find(table, name, len);
	int used = 1;

	if (!option && is_cluster(table, argv[0])) {
		if (set_switches(table, target, argv[0], err) < 0)
			return err->code;
		name += len - 1;
		len = 1;
		option = options_find(table, name, len);
	}
	if (!option)
		return is_help(name, len) ? 0 : refuse_unknown(table, name, len, err);

	if (!value && !option->arg) {
		value = "true";
	} else if (!value) {
		if (argc < 2)
			return err_user(err, "option \"--%s\" needs a value: --%s %s", option->name,
					option->name, option->arg);
		value = argv[1];
		used = 2;
	}

	return set(option, target, value, err) < 0 ? err->code : used;
}

static void add_operand(struct operands *operands, const char *word)
{
	struct err none = ERR_INIT;

	if (operands->n < ARRAY_LEN(operands->words))
		operands->words[operands->n] = word;
	else
		(void)option_set_values(&operands->more, word, &none);
	operands->n++;
}

const char *operands_at(const struct operands *operands, size_t i)
{
	const size_t few = ARRAY_LEN(operands->words);

	return i < few ? operands->words[i] : operands->more.items[i - few];
}

int options_parse(const struct option *table, void *target, int argc, char *const *argv, bool first,
		  struct operands *ret_operands, int *ret_used, struct err *err)
{
	struct operands operands = { .n = 0 };
	bool ended = false;
	int i = 0, r;

	while (i < argc) {
		/* A lone "-" names standard input or output, so it is an operand. */
		if (ended || argv[i][0] != '-' || !argv[i][1]) {
			if (first)
				break;
			add_operand(&operands, argv[i++]);
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			ended = true;
			i++;
			continue;
		}

		r = parse_one(table, target, argc - i, argv + i, err);
		if (r < 0)
			return r;
		if (r == 0)
			return OPTIONS_HELP;
		i += r;
	}

	*ret_operands = operands;
	*ret_used = i;
	return OPTIONS_DONE;
}

void options_print(FILE *to, const struct option *table)
{
	bool letter_taken = options_find(table, "h", 1);
	char left[64];

	for (; table->name; table++) {
		char letter[5] = "    ";

		if (table->letter)
			snprintf(letter, sizeof(letter), "-%c, ", table->letter);
		snprintf(left, sizeof(left), "%s--%s%s%s", letter, table->name,
			 table->arg ? " " : "", table->arg ? table->arg : "");
		/* What does not fit beside its help stands above it. */
		if (strlen(left) > 30)
			fprintf(to, "  %s\n  %-31s %s\n", left, "", table->help);
		else
			fprintf(to, "  %-31s %s\n", left, table->help);
	}
	fprintf(to, "  %-31s %s\n", letter_taken ? "    --help" : "-h, --help", "show this");
}
