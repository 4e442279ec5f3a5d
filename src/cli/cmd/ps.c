/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `ps`: the containers, those that run or all. */
#include "base/clock.h"
#include "base/json_write.h"
#include "cli/cmd/each.h"
#include "cli/human.h"
#include "cli/table.h"
#include "engine/containers.h"
#include "runtime/container.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

/* Of a command; more is cut unless --no-trunc is given. */
#define COMMAND_WIDTH 20
/* How often to ask, a millisecond apart, for what is being recorded */
#define RECORD_LOOKS 50

struct args {
	const char *format;
	bool all, quiet, no_trunc;
};

struct row {
	const struct container_record *record;
	const char *state;  /* "running", "exited", "created", "paused" */
	const char *status; /* for people */
};

static const char *since(struct arena *arena, const char *when, time_t now)
{
	return human_age(arena, when, now);
}

static struct row ended(struct arena *arena, const struct container_record *record, time_t now)
{
	const char *ago = since(arena, record->finished, now);
	const char *status = record->exit_status < 0
				     ? arena_printf(arena, "Exited (unknown) %s", ago)
				     : arena_printf(arena, "Exited (%lld) %s",
						    (long long)record->exit_status, ago);

	if (record->restarting)
		return (struct row){ record, "restarting",
				     arena_printf(arena, "Restarting%s",
						  status + strlen("Exited")) };
	return (struct row){ record, "exited", status };
}

/* Its init has ended, and who watches it is about to record how. Return: does the record say it now? */
static bool is_recorded(struct arena *arena, const struct roots *roots,
			struct container_record *record)
{
	struct container_record newer;
	struct err ignored = ERR_INIT;

	for (int i = 0; i < RECORD_LOOKS; i++) {
		if (containers_load(arena, roots, record->id, &newer, &ignored) < 0)
			return false;
		if (newer.finished) {
			*record = newer;
			return true;
		}
		(void)poll(NULL, 0, 1);
	}
	return false;
}

static struct row look(struct arena *arena, const struct roots *roots,
		       struct container_record *record, time_t now)
{
	struct row row = { record, "created", "Created" };
	struct err ignored = ERR_INIT;
	struct container c;
	const char *ago;

	if (record->finished)
		return ended(arena, record, now);
	if (container_load(arena, containers_oci_root(arena, roots), record->id, &c, &ignored) < 0)
		return row;
	if (c.status == CONTAINER_STOPPED && is_recorded(arena, roots, record))
		return ended(arena, record, now);
	if (c.status == CONTAINER_STOPPED)
		return (struct row){ record, "exited", "Exited (unknown)" };
	if (c.status != CONTAINER_RUNNING && c.status != CONTAINER_PAUSED)
		return row;
	ago = since(arena, c.created, now);
	row.state = container_status_names[c.status];
	row.status = arena_printf(arena, "Up %.*s%s", (int)(strlen(ago) - 4), ago,
				  c.status == CONTAINER_PAUSED ? " (Paused)" : "");
	return row;
}

static bool is_shown(const struct args *a, const struct row *row)
{
	return a->all || strcmp(row->state, "running") == 0 || strcmp(row->state, "paused") == 0 ||
	       strcmp(row->state, "restarting") == 0;
}

static const char *text_or(const char *text, const char *other)
{
	return text ? text : other;
}

static const char *shown_id(struct arena *arena, const struct args *a, const char *id)
{
	return a->no_trunc ? id : arena_strndup(arena, id, 12);
}

static const char *shown_command(struct arena *arena, const struct args *a, const char *command)
{
	if (a->no_trunc || strlen(command) <= COMMAND_WIDTH)
		return arena_printf(arena, "\"%s\"", command);
	return arena_printf(arena, "\"%.*s...\"", COMMAND_WIDTH - 3, command);
}

static void print_json(struct arena *arena, const struct args *a, const struct row *row, time_t now)
{
	const struct container_record *record = row->record;
	struct json_writer w;

	json_writer_init(&w, arena, 0);
	json_object_begin(&w, NULL);
	json_add_string(&w, "ID", shown_id(arena, a, record->id));
	json_add_string(&w, "Image", text_or(record->image, ""));
	json_add_string(&w, "Command", shown_command(arena, a, text_or(record->command, "")));
	json_add_string(&w, "CreatedAt", record->created);
	json_add_string(&w, "RunningFor", since(arena, record->created, now));
	json_add_string(&w, "State", row->state);
	json_add_string(&w, "Status", row->status);
	json_add_string(&w, "Names", text_or(record->name, ""));
	json_object_end(&w);
	printf("%s\n", json_writer_text(&w, NULL));
}

static int check_format(const struct args *a, bool *ret_json, struct err *err)
{
	*ret_json = a->format && strcmp(a->format, "json") == 0;
	if (!a->format || *ret_json || strcmp(a->format, "table") == 0)
		return 0;
	err_user(err, "unknown format \"%s\"", a->format);
	return err_hint(err, "it is table or json");
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	static const char *const headings[] = { "CONTAINER ID", "IMAGE", "COMMAND", "CREATED",
						"STATUS",       "NAMES", NULL };
	struct roots roots = roots_of(cli);
	defer_arena struct arena arena = { 0 };
	const struct args *a = args;
	struct container_record *records;
	time_t now = time(NULL);
	struct table table;
	bool json;
	size_t n;
	int r = check_format(a, &json, err);

	if (r == 0)
		r = containers_sweep(&roots, err);
	if (r == 0)
		r = containers_list(&arena, &roots, &records, &n, report_unreadable, &cli->log,
				    err);
	if (r < 0)
		return r;
	table_init(&table, &arena, headings);
	for (size_t i = 0; i < n; i++) {
		struct row row = look(&arena, &roots, &records[i], now);

		if (!is_shown(a, &row))
			continue;
		if (a->quiet)
			printf("%s\n", shown_id(&arena, a, records[i].id));
		else if (json)
			print_json(&arena, a, &row, now);
		else
			table_add(&table,
				  (const char *const[]){
					  shown_id(&arena, a, records[i].id),
					  text_or(records[i].image, ""),
					  shown_command(&arena, a, text_or(records[i].command, "")),
					  since(&arena, records[i].created, now), row.status,
					  text_or(records[i].name, "") });
	}
	if (!a->quiet && !json)
		table_print(&table);
	return 0;
}

static const struct option options[] = {
	{ "all", 'a', NULL, "show those that have ended, too", option_set_switch,
	  offsetof(struct args, all) },
	{ "format", 0, "FORMAT", "table (default), or json: an object a line", option_set_text,
	  offsetof(struct args, format) },
	{ "quiet", 'q', NULL, "show only the ids", option_set_switch,
	  offsetof(struct args, quiet) },
	{ "no-trunc", 0, NULL, "show ids and commands in full", option_set_switch,
	  offsetof(struct args, no_trunc) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_ps = {
	.name = "ps",
	.alias = "container ls",
	.operands = "",
	.summary = "show the containers that run",
	.options = options,
	.run = run,
};
