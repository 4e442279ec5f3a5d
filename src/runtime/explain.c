/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/explain.h"

#include "runtime/explain_parts.h"

#include <stdio.h>
#include <string.h>

/* Commands up to this width have their reason beside them, longer ones push it to the right. */
#define COMMAND_WIDTH 60

struct palette {
	const char *heading, *command, *dim, *warn, *end;
};

static const struct palette no_colours = { "", "", "", "", "" };
static const struct palette colours = { "\033[1m", "\033[36m", "\033[2m", "\033[33m", "\033[0m" };

static const char *const formats[] = {
	[EXPLAIN_TEXT] = "text", [EXPLAIN_JSON] = "json", [EXPLAIN_SH] = "sh"
};

int explain_format_parse(const char *word, enum explain_format *ret_format, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		if (strcmp(word, formats[i]) == 0) {
			*ret_format = (enum explain_format)i;
			return 0;
		}
	}
	return err_user(err, "explain in the format \"%s\": it is none of text, json, sh", word);
}

/* The command as a string of its own, for what has to know its width or quote it. Freed by the caller. */
static char *command_text(const struct shell *sh, const struct step *step)
{
	struct shell copy = *sh;
	char *text = NULL;
	size_t len = 0;

	copy.out = open_memstream(&text, &len);
	if (!copy.out)
		return NULL;
	shell_command(&copy, step);
	fclose(copy.out);
	return text;
}

bool step_changes_root(const struct step *step)
{
	return step->kind == STEP_PIVOT || step->kind == STEP_CHROOT || step->kind == STEP_NS_ENTER;
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

/* What the parent is doing here: the command that the plan is of. */
static const char *command_of(const struct plan *plan, const struct create_options *options)
{
	return plan->enters ? "exec" : options->run ? "run" : "create";
}

static void put_heading(FILE *out, const struct palette *p, enum step_who who,
			const struct plan *plan, const struct create_options *options)
{
	static const char *const what[STEP_WHOS] = {
		[STEP_PARENT] = "tare-oci itself, in the host's namespaces",
		[STEP_STAGE] =
			"a helper that joins namespaces and then gives birth to the container",
		[STEP_CHILD] = "the container's first process, until the program takes its place",
		[STEP_STARTER] = "tare-oci start, perhaps much later",
	};
	static const char *const enters[STEP_WHOS] = {
		[STEP_STAGE] = "a helper that goes ahead into the container",
		[STEP_CHILD] = "the new process, until the program takes its place",
	};
	const char *text = plan->enters && enters[who] ? enters[who] : what[who];

	fprintf(out, "\n%s%s%s  %s%s", p->heading, step_who_names[who], p->end, p->dim, text);
	if (who == STEP_PARENT)
		fprintf(out, " (%s)", command_of(plan, options));
	fprintf(out, "%s\n", p->end);
}

static void put_step(const struct shell *sh, const struct palette *p, size_t index)
{
	const struct step *step = &sh->plan->steps[index];
	defer_free char *command = command_text(sh, step);

	fprintf(sh->out, "%4zu  %-22s %s%-*s%s  %s# %s", index, step_names[step->kind], p->command,
		COMMAND_WIDTH, command ? command : "", p->end, p->dim, step_reason(step));
	if (step->pointer[0])
		fprintf(sh->out, "  [%s]", step->pointer);
	fprintf(sh->out, "%s\n", p->end);
}

static void put_ignored(FILE *out, const struct palette *p,
			const struct config_ignored_list *ignored)
{
	if (!ignored->n)
		return;
	fprintf(out, "\n%signored%s  %swhat config.json says and tare does not do%s\n", p->heading,
		p->end, p->dim, p->end);
	for (size_t i = 0; i < ignored->n; i++) {
		fprintf(out, "      %s%s%s: %s", p->warn, ignored->items[i].pointer, p->end,
			ignored->items[i].why);
		if (ignored->items[i].near)
			fprintf(out, "; did you mean %s?", ignored->items[i].near);
		fputc('\n', out);
	}
}

static void put_warnings(FILE *out, const struct palette *p, const struct str_list *warnings)
{
	if (!warnings->n)
		return;
	fprintf(out, "\n%swarnings%s\n", p->heading, p->end);
	for (size_t i = 0; i < warnings->n; i++)
		fprintf(out, "      %s%s%s\n", p->warn, warnings->items[i], p->end);
}

/* Which of the variables in the commands stand for what; see explain_parts.h. */
static void put_preface(FILE *out, const struct palette *p, const struct plan *plan,
			const struct create_options *options)
{
	fprintf(out, "%s%s \"%s\" in %zu steps%s\n", p->heading,
		plan->enters   ? "exec in"
		: options->run ? "run"
			       : "create and start",
		options->id ? options->id : "", plan->n_steps, p->end);
	fprintf(out,
		"%sNumber, name, the command that you could type for it, why, and the place in "
		"config.json. A command that\n"
		"begins with # is a system call which no command makes. $root is the container's "
		"root directory, $pid its\n"
		"first process, $state tare's record of it, $run an empty directory. `explain "
		"--format sh` prints a script\n"
		"that does it all.%s\n",
		p->dim, p->end);
}

void explain_text(FILE *out, const struct plan *plan, const struct create_options *options,
		  bool colour)
{
	const struct palette *p = colour ? &colours : &no_colours;
	struct shell sh = { .out = out, .plan = plan };
	enum step_who who = STEP_WHOS;

	put_preface(out, p, plan, options);
	for (size_t i = 0; i < plan->n_steps; i++) {
		if (plan->steps[i].who != who) {
			who = plan->steps[i].who;
			put_heading(out, p, who, plan, options);
		}
		put_step(&sh, p, i);
		sh.in_root |= step_changes_root(&plan->steps[i]);
	}
	put_ignored(out, p, &plan->ignored);
	put_warnings(out, p, &plan->warnings);
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

static const char *slot_name(const struct plan *plan, int slot)
{
	return slot == SLOT_NONE ? NULL : plan->slot_names[slot];
}

static void add_slots(struct json_writer *w, const struct plan *plan, const struct step *step)
{
	json_object_begin(w, "slots");
	json_array_begin(w, "in");
	for (size_t i = 0; i < STEP_INPUTS; i++) {
		if (step->in[i] != SLOT_NONE)
			json_add_string(w, NULL, slot_name(plan, step->in[i]));
	}
	json_array_end(w);
	json_add_string(w, "out", slot_name(plan, step->out));
	json_object_end(w);
}

static void add_step(struct json_writer *w, const struct shell *sh, size_t index)
{
	const struct step *step = &sh->plan->steps[index];
	defer_free char *command = command_text(sh, step);

	json_object_begin(w, NULL);
	json_add_u64(w, "index", index);
	json_add_string(w, "who", step_who_names[step->who]);
	json_add_string(w, "kind", step_names[step->kind]);
	json_add_string(w, "pointer", step->pointer);
	json_add_string(w, "command", command);
	json_add_string(w, "why", step_reason(step));
	add_slots(w, sh->plan, step);
	json_object_begin(w, "arguments");
	step_arguments_json(w, step);
	json_object_end(w);
	json_object_end(w);
}

static void add_ignored(struct json_writer *w, const struct config_ignored_list *ignored)
{
	json_array_begin(w, "ignored");
	for (size_t i = 0; i < ignored->n; i++) {
		json_object_begin(w, NULL);
		json_add_string(w, "pointer", ignored->items[i].pointer);
		json_add_string(w, "near", ignored->items[i].near);
		json_add_string(w, "why", ignored->items[i].why);
		json_object_end(w);
	}
	json_array_end(w);
}

void explain_json(FILE *out, const struct plan *plan, const struct create_options *options)
{
	defer_arena struct arena arena = { 0 };
	struct shell sh = { .out = out, .plan = plan };
	struct json_writer w;

	json_writer_init(&w, &arena, 2);
	json_object_begin(&w, NULL);
	json_add_string(&w, "id", options->id);
	json_add_bool(&w, "run", options->run);

	json_array_begin(&w, "steps");
	for (size_t i = 0; i < plan->n_steps; i++) {
		add_step(&w, &sh, i);
		sh.in_root |= step_changes_root(&plan->steps[i]);
	}
	json_array_end(&w);

	add_ignored(&w, &plan->ignored);
	json_array_begin(&w, "warnings");
	for (size_t i = 0; i < plan->warnings.n; i++)
		json_add_string(&w, NULL, plan->warnings.items[i]);
	json_array_end(&w);
	json_object_end(&w);
	fprintf(out, "%s\n", json_writer_text(&w, NULL));
}

void explain_plan(FILE *out, const struct plan *plan, const struct create_options *options,
		  enum explain_format format, bool colour)
{
	switch (format) {
	case EXPLAIN_TEXT:
		explain_text(out, plan, options, colour);
		return;
	case EXPLAIN_JSON:
		explain_json(out, plan, options);
		return;
	case EXPLAIN_SH:
		explain_sh(out, plan, options);
		return;
	}
}
