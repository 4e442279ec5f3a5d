/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/change.h"

#include "base/json.h"
#include "base/near.h"
#include "base/num.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- lists that grow ---------------------------------------------------------------------------------------------- */

static void append(struct change *c, struct str_list *list, const char *text)
{
	const char **items = arena_array(c->arena, list->n + 1, sizeof(*items));

	if (list->n)
		memcpy(items, list->items, list->n * sizeof(*items));
	items[list->n] = text;
	*list = (struct str_list){ .items = items, .n = list->n + 1 };
}

static void append_once(struct change *c, struct str_list *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->items[i], text) == 0)
			return;
	}
	append(c, list, text);
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next word, without its quotes and backslashes. Return: 1; 0 at the end; -EINVAL */
static int next_word(struct change *c, const char **text, const char **ret, struct err *err)
{
	const char *at = *text;
	char quote = 0, *out;
	size_t n = 0;

	while (is_blank(*at))
		at++;
	if (!*at)
		return 0;
	out = arena_alloc(c->arena, strlen(at) + 1);
	for (; *at && (quote || !is_blank(*at)); at++) {
		if (quote ? *at == quote : *at == '"' || *at == '\'')
			quote = quote ? 0 : *at;
		else if (*at == '\\' && at[1] && quote != '\'')
			out[n++] = *++at;
		else
			out[n++] = *at;
	}
	if (quote)
		return err_user(err, "a quote is not closed");
	*text = at;
	*ret = out;
	return 1;
}

typedef int take_word(struct change *c, const char *word, struct err *err);

static int each_word(struct change *c, const char *text, take_word *take, struct err *err)
{
	const char *word = NULL;
	int r;

	while ((r = next_word(c, &text, &word, err)) > 0) {
		r = take(c, word, err);
		if (r < 0)
			return r;
	}
	return r;
}

/* A JSON array of strings. Return: 1; 0 if it is none; */
static int json_list(struct change *c, const char *text, struct str_list *ret)
{
	const struct json *root, *item;
	struct str_list list = { 0 };
	struct err ignored = ERR_INIT;

	if (*text != '[' || json_parse(c->arena, text, strlen(text), &root, &ignored) < 0 ||
	    root->type != JSON_ARRAY)
		return 0;
	json_each(item, root) {
		if (!json_string(item))
			return 0;
		append(c, &list, item->text);
	}
	*ret = list;
	return 1;
}

/* ---- instructions ------------------------------------------------------------------------------------------------- */

/* A line is for the shell. */
static void command(struct change *c, const char *text, struct str_list *ret)
{
	if (json_list(c, text, ret))
		return;
	*ret = (struct str_list){ 0 };
	if (c->process->shell.n) {
		*ret = c->process->shell;
	} else {
		append(c, ret, "/bin/sh");
		append(c, ret, "-c");
	}
	append(c, ret, arena_strdup(c->arena, text));
}

static int set_cmd(struct change *c, const char *text, struct err *err)
{
	command(c, text, &c->process->cmd);
	c->has_cmd = true;
	return 0;
}

/* What the image had as CMD were arguments of what it had as ENTRYPOINT. */
static int set_entrypoint(struct change *c, const char *text, struct err *err)
{
	command(c, text, &c->process->entrypoint);
	if (!c->has_cmd)
		c->process->cmd = (struct str_list){ 0 };
	return 0;
}

static void set_variable(struct change *c, const char *variable)
{
	size_t len = strcspn(variable, "=") + 1;
	struct str_list *env = &c->process->env;
	const char **items = arena_array(c->arena, env->n + 1, sizeof(*items));
	size_t n = 0;
	bool set = false;

	for (size_t i = 0; i < env->n; i++) {
		bool same = strncmp(env->items[i], variable, len) == 0;

		if (!same || !set)
			items[n++] = same ? variable : env->items[i];
		set |= same;
	}
	if (!set)
		items[n++] = variable;
	*env = (struct str_list){ .items = items, .n = n };
}

static int take_variable(struct change *c, const char *word, struct err *err)
{
	if (!strchr(word, '=') || *word == '=')
		return err_user(err, "\"%s\" is no NAME=VALUE", word);
	set_variable(c, word);
	return 0;
}

/* "A=b C=d"; or the old form "A all the rest" */
static int set_env(struct change *c, const char *text, struct err *err)
{
	size_t len = strcspn(text, " \t=");

	if (text[len] == '=' || !text[len])
		return each_word(c, text, take_variable, err);
	set_variable(c, arena_printf(c->arena, "%.*s=%s", (int)len, text,
				     text + len + strspn(text + len, " \t")));
	return 0;
}

static int take_label(struct change *c, const char *word, struct err *err)
{
	const char *equals = strchr(word, '=');
	struct key_value_list *labels = &c->process->labels;
	struct key_value *items;
	char *key;

	if (!equals || equals == word)
		return err_user(err, "\"%s\" is no NAME=VALUE", word);
	key = arena_strndup(c->arena, word, (size_t)(equals - word));
	for (size_t i = 0; i < labels->n; i++) {
		if (strcmp(labels->items[i].key, key) == 0) {
			labels->items[i].value = equals + 1;
			return 0;
		}
	}
	items = arena_array(c->arena, labels->n + 1, sizeof(*items));
	if (labels->n)
		memcpy(items, labels->items, labels->n * sizeof(*items));
	items[labels->n].key = key;
	items[labels->n].value = equals + 1;
	labels->items = items;
	labels->n++;
	return 0;
}

static int set_labels(struct change *c, const char *text, struct err *err)
{
	return each_word(c, text, take_label, err);
}

static int take_port(struct change *c, const char *word, struct err *err)
{
	unsigned port;
	char protocol[8] = "tcp", more;
	int n = sscanf(word, "%5u/%7[a-z]%c", &port, protocol, &more);

	if (n < 1 || n > 2 || (n == 1 && strspn(word, "0123456789") != strlen(word)) || !port ||
	    port > 65535 ||
	    (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0 &&
	     strcmp(protocol, "sctp") != 0))
		return err_user(err, "\"%s\" is no PORT/tcp, PORT/udp or PORT/sctp", word);
	append_once(c, &c->process->exposed_ports, arena_printf(c->arena, "%u/%s", port, protocol));
	return 0;
}

static int set_ports(struct change *c, const char *text, struct err *err)
{
	return each_word(c, text, take_port, err);
}

static int take_volume(struct change *c, const char *word, struct err *err)
{
	if (*word != '/')
		return err_user(err, "volume \"%s\" is no absolute path", word);
	append_once(c, &c->process->volumes, word);
	return 0;
}

static int set_volumes(struct change *c, const char *text, struct err *err)
{
	struct str_list list;
	int r = 0;

	if (!json_list(c, text, &list))
		return each_word(c, text, take_volume, err);
	for (size_t i = 0; r == 0 && i < list.n; i++)
		r = take_volume(c, list.items[i], err);
	return r;
}

static int set_user(struct change *c, const char *text, struct err *err)
{
	c->process->user = arena_strdup(c->arena, text);
	return 0;
}

static int set_directory(struct change *c, const char *text, struct err *err)
{
	const char *base = c->process->working_dir ? c->process->working_dir : "";

	c->process->working_dir =
		*text == '/' ? arena_strdup(c->arena, text)
			     : arena_printf(c->arena, "%s/%s", strcmp(base, "/") ? base : "", text);
	return 0;
}

static int set_signal(struct change *c, const char *text, struct err *err)
{
	c->process->stop_signal = arena_strdup(c->arena, text);
	return 0;
}

static int add_on_build(struct change *c, const char *text, struct err *err)
{
	append(c, &c->process->on_build, arena_strdup(c->arena, text));
	return 0;
}

/* ---- HEALTHCHECK ---------------------------------------------------------------------------------------------------- */

/* As Go writes it: "1m30s", "500ms"; each part a whole number. */
static int read_duration(const char *text, int64_t *ret_ns)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = { { "h", 3600000000000 }, { "ms", 1000000 }, { "m", 60000000000 },
		      { "s", 1000000000 },    { "us", 1000 },    { "ns", 1 } };
	int64_t sum = 0;

	if (!*text)
		return -EINVAL;
	while (*text) {
		size_t digits = strspn(text, "0123456789"), i;
		char number[20];
		int64_t part;
		uint64_t value;

		if (!digits || digits >= sizeof(number))
			return -EINVAL;
		snprintf(number, sizeof(number), "%.*s", (int)digits, text);
		text += digits;
		for (i = 0; i < ARRAY_LEN(units); i++) {
			if (!strncmp(text, units[i].name, strlen(units[i].name)))
				break;
		}
		if (i == ARRAY_LEN(units) || num_parse_u64(number, 0, INT64_MAX, &value) < 0 ||
		    __builtin_mul_overflow((int64_t)value, units[i].ns, &part) ||
		    __builtin_add_overflow(sum, part, &sum))
			return -EINVAL;
		text += strlen(units[i].name);
	}
	*ret_ns = sum;
	return 0;
}

struct health_time {
	const char *option;
	int64_t *ns;
};

/* One "--NAME=VALUE" */
static int set_health_option(struct image_healthcheck *check, const char *word, struct err *err)
{
	const struct health_time times[] = { { "--interval=", &check->interval_ns },
					     { "--timeout=", &check->timeout_ns },
					     { "--start-period=", &check->start_period_ns },
					     { "--start-interval=", &check->start_interval_ns } };
	static const char retries[] = "--retries=";
	uint64_t number;

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		size_t len = strlen(times[i].option);

		if (strncmp(word, times[i].option, len) != 0)
			continue;
		if (read_duration(word + len, times[i].ns) == 0)
			return 0;
		err_user(err, "\"%s\" is no time", word);
		return err_hint(err, "it is a number with h, m, s, ms, us or ns: 1m30s");
	}
	if (strncmp(word, retries, strlen(retries)) != 0)
		return err_user(err, "unknown option \"%s\"", word);
	if (num_parse_u64(word + strlen(retries), 0, INT32_MAX, &number) < 0)
		return err_user(err, "\"%s\" is no number", word);
	check->retries = (uint32_t)number;
	return 0;
}

static int set_health_command(struct change *c, struct image_healthcheck *check, const char *text,
			      struct err *err)
{
	struct str_list words;

	if (!strcasecmp(text, "NONE")) {
		append(c, &check->test, "NONE");
		return 0;
	}
	if (strncasecmp(text, "CMD", 3) != 0 || !is_blank(text[3]))
		return err_user(err, "it goes on with CMD and a command, or NONE");
	text += 3 + strspn(text + 3, " \t");
	if (!*text)
		return err_user(err, "nothing follows CMD");
	if (!json_list(c, text, &words)) {
		append(c, &check->test, "CMD-SHELL");
		append(c, &check->test, arena_strdup(c->arena, text));
		return 0;
	}
	append(c, &check->test, "CMD");
	for (size_t i = 0; i < words.n; i++)
		append(c, &check->test, words.items[i]);
	return 0;
}

static int set_health(struct change *c, const char *text, struct err *err)
{
	struct image_healthcheck check = { .retries = 0 };
	int r = 0;

	while (r == 0 && !strncmp(text, "--", 2)) {
		size_t len = strcspn(text, " \t");

		r = set_health_option(&check, arena_strndup(c->arena, text, len), err);
		text += len + strspn(text + len, " \t");
	}
	if (r == 0)
		r = set_health_command(c, &check, text, err);
	if (r == 0)
		c->process->healthcheck = check;
	return r;
}

/* ---- all of them -------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*set)(struct change *c, const char *text, struct err *err);
} instructions[] = {
	{ "CMD", set_cmd },          { "ENTRYPOINT", set_entrypoint }, { "ENV", set_env },
	{ "EXPOSE", set_ports },     { "HEALTHCHECK", set_health },    { "LABEL", set_labels },
	{ "ONBUILD", add_on_build }, { "STOPSIGNAL", set_signal },     { "USER", set_user },
	{ "VOLUME", set_volumes },   { "WORKDIR", set_directory },
};

static int unknown(const char *instruction, const char *word, struct err *err)
{
	struct near near;

	err_user(err, "change \"%s\": unknown instruction", instruction);
	near_init(&near, word);
	for (size_t i = 0; i < ARRAY_LEN(instructions); i++)
		near_offer(&near, instructions[i].name);
	return err_hint(err,
			"%s%s%sit is CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, "
			"STOPSIGNAL, USER, VOLUME or WORKDIR",
			near.best ? "did you mean " : "", near.best ? near.best : "",
			near.best ? "? " : "");
}

int change_apply(struct change *change, const char *instruction, struct err *err)
{
	const char *name = instruction + strspn(instruction, " \t");
	size_t len = strcspn(name, " \t");
	char first[NEAR_MAX];
	const char *text = name + len + strspn(name + len, " \t");

	for (size_t i = 0; i < ARRAY_LEN(instructions); i++) {
		if (strlen(instructions[i].name) != len ||
		    strncasecmp(instructions[i].name, name, len) != 0)
			continue;
		if (!*text)
			return err_user(err, "change \"%s\": nothing follows it", instruction);
		if (instructions[i].set(change, text, err) < 0)
			return err_context(err, "change \"%s\"", instruction);
		return 0;
	}
	snprintf(first, sizeof(first), "%.*s", (int)len, name);
	return unknown(instruction, first, err);
}
