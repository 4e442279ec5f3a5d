/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/trace.h"

#include "base/json_write.h"
#include "runtime/explain_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One step that ran. */
struct span {
	int64_t start_ns, end_ns;
	size_t index; /* in the plan of create, also for a starter's step */
	enum step_who who;
	enum step_kind kind;
	const struct step *step; /* NULL in a start, which does not have the plan */
};

struct trace {
	struct arena arena;
	struct span *spans;
	size_t n, capacity;
	const struct plan *plan; /* NULL in a start */
	const struct trace_span *earlier;
	size_t n_earlier;
	int64_t zero_ns;
};

/* Who did what came before the plan, in the column of the processes */
#define EARLIER "engine"

/* The page is shared with the container's init until it executes the program, so its numbers are checked. */
static bool is_sane(const struct trace_entry *entry)
{
	return entry->start_ns > 0 && entry->who < STEP_WHOS && entry->kind < STEP_KIND_COUNT;
}

static void add_span(struct trace *t, const struct trace_entry *entry, size_t index,
		     const struct step *step)
{
	if (t->n == t->capacity || !is_sane(entry))
		return;
	t->spans[t->n++] = (struct span){
		.start_ns = entry->start_ns,
		.end_ns = entry->end_ns,
		.index = index,
		.who = (enum step_who)entry->who,
		.kind = (enum step_kind)entry->kind,
		.step = step,
	};
}

static int by_start(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static int64_t find_end(const struct trace *t, enum step_kind kind)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->spans[i].kind == kind)
			return t->spans[i].end_ns;
	}
	return 0;
}

/*
 * An exec that succeeds has no end of its own: it has happened when the one who waits for it knows. Another step without
 * an end is where its process was when it died.
 */
static void set_ends(struct trace *t)
{
	int64_t exec_ns = find_end(t, STEP_EXEC_WAIT), last_ns = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (t->spans[i].end_ns > last_ns)
			last_ns = t->spans[i].end_ns;
	}
	for (size_t i = 0; i < t->n; i++) {
		struct span *span = &t->spans[i];

		if (span->end_ns == 0)
			span->end_ns = span->kind == STEP_EXEC && exec_ns ? exec_ns : last_ns;
		if (span->end_ns < span->start_ns)
			span->end_ns = span->start_ns;
	}
}

static void trace_init(struct trace *t, size_t capacity, const struct plan *plan)
{
	*t = (struct trace){ .capacity = capacity, .plan = plan };
	t->spans = arena_array(&t->arena, capacity ? capacity : 1, sizeof(*t->spans));
}

/* ---- forms ------------------------------------------------------------------------------------------------------ */

static double us(int64_t ns)
{
	return (double)ns / 1000;
}

/* The command of a step as in explain's text; NULL without the plan. Freed by the caller. */
static char *span_command(const struct trace *t, const struct span *span)
{
	struct shell sh = { .plan = t->plan };
	char *text = NULL;
	size_t len;

	if (!span->step)
		return NULL;
	for (const struct step *step = t->plan->steps; step < span->step; step++)
		sh.in_root |= step_changes_root(step);
	sh.out = open_memstream(&text, &len);
	if (!sh.out)
		return NULL;
	shell_command(&sh, span->step);
	fclose(sh.out);
	return text;
}

/* What came before the plan has no number in it. */
static void put_earlier(FILE *out, const struct trace *t)
{
	for (size_t i = 0; i < t->n_earlier; i++) {
		const struct trace_span *span = &t->earlier[i];

		fprintf(out, "%12.1f %10.1f  %-8s %4s %-22s %s\n", us(span->start_ns - t->zero_ns),
			us(span->end_ns - span->start_ns), EARLIER, "", span->name, span->command);
	}
}

static void put_text(FILE *out, const struct trace *t)
{
	fprintf(out, "%12s %10s  %-8s %4s %s\n", "start us", "length us", "who", "step", "");
	put_earlier(out, t);
	for (size_t i = 0; i < t->n; i++) {
		const struct span *span = &t->spans[i];
		defer_free char *command = span_command(t, span);

		fprintf(out, "%12.1f %10.1f  %-8s %4zu %-22s %s\n", us(span->start_ns - t->zero_ns),
			us(span->end_ns - span->start_ns), step_who_names[span->who], span->index,
			step_names[span->kind], command ? command : "");
	}
}

static void add_us(struct json_writer *w, const char *key, int64_t ns)
{
	char text[48];

	snprintf(text, sizeof(text), "%.3f", us(ns));
	json_add_raw(w, key, text);
}

/* Spec: "Trace Event Format", complete events (ph X) */
static void add_event(struct json_writer *w, const struct trace *t, const struct span *span)
{
	defer_free char *command = span_command(t, span);

	json_object_begin(w, NULL);
	json_add_string(w, "name", step_names[span->kind]);
	json_add_string(w, "cat", step_who_names[span->who]);
	json_add_string(w, "ph", "X");
	add_us(w, "ts", span->start_ns - t->zero_ns);
	add_us(w, "dur", span->end_ns - span->start_ns);
	json_add_u64(w, "pid", 1);
	json_add_u64(w, "tid", (uint64_t)span->who + 1);
	json_object_begin(w, "args");
	json_add_u64(w, "index", span->index);
	if (span->step) {
		json_add_string(w, "pointer", span->step->pointer);
		json_add_string(w, "command", command);
	}
	json_object_end(w);
	json_object_end(w);
}

static void add_earlier(struct json_writer *w, const struct trace *t)
{
	for (size_t i = 0; i < t->n_earlier; i++) {
		const struct trace_span *span = &t->earlier[i];

		json_object_begin(w, NULL);
		json_add_string(w, "name", span->name);
		json_add_string(w, "cat", EARLIER);
		json_add_string(w, "ph", "X");
		add_us(w, "ts", span->start_ns - t->zero_ns);
		add_us(w, "dur", span->end_ns - span->start_ns);
		json_add_u64(w, "pid", 1);
		json_add_u64(w, "tid", STEP_PARENT + 1);
		json_object_begin(w, "args");
		json_add_string(w, "command", span->command);
		json_object_end(w);
		json_object_end(w);
	}
}

/* Name the rows of the picture; the processes are threads in it, so that they lie close together. */
static void add_names(struct json_writer *w)
{
	for (int who = 0; who < STEP_WHOS; who++) {
		json_object_begin(w, NULL);
		json_add_string(w, "name", "thread_name");
		json_add_string(w, "ph", "M");
		json_add_u64(w, "pid", 1);
		json_add_u64(w, "tid", (uint64_t)who + 1);
		json_object_begin(w, "args");
		json_add_string(w, "name", step_who_names[who]);
		json_object_end(w);
		json_object_end(w);
	}
}

static void put_json(FILE *out, const struct trace *t)
{
	defer_arena struct arena arena = { 0 };
	struct json_writer w;

	json_writer_init(&w, &arena, 1);
	json_object_begin(&w, NULL);
	json_add_string(&w, "displayTimeUnit", "ns");
	json_array_begin(&w, "traceEvents");
	add_names(&w);
	add_earlier(&w, t);
	for (size_t i = 0; i < t->n; i++)
		add_event(&w, t, &t->spans[i]);
	json_array_end(&w);
	json_object_end(&w);
	fprintf(out, "%s\n", json_writer_text(&w, NULL));
}

static void put(const struct trace_options *options, struct trace *t)
{
	set_ends(t);
	qsort(t->spans, t->n, sizeof(*t->spans), by_start);
	if (options->json)
		put_json(options->stream, t);
	else
		put_text(options->stream, t);
	arena_clear(&t->arena);
}

/* ---- what belongs to it ----------------------------------------------------------------------------------------- */

/*
 * Where the init waits to be let go on: what comes after the parent's last step belongs to `start`, whether the init has
 * begun it or not when the parent looks. A run has nothing after it.
 */
static size_t end_of_create(const struct progress *page)
{
	size_t end = page->n_trace;

	while (end > 0 &&
	       !(is_sane(&page->trace[end - 1]) && page->trace[end - 1].who == STEP_PARENT))
		end--;
	return end;
}

static bool has_starter(const struct plan *plan)
{
	return plan->n_steps > 0 && plan->steps[plan->n_steps - 1].who == STEP_STARTER;
}

void trace_write(const struct trace_options *options, const struct progress *page,
		 const struct plan *plan)
{
	size_t end = has_starter(plan) && page->err.code == 0 ? end_of_create(page) : plan->n_steps;
	struct trace t;

	trace_init(&t, plan->n_steps, plan);
	t.earlier = options->earlier;
	t.n_earlier = options->n_earlier;
	if (t.n_earlier)
		t.zero_ns = t.earlier[0].start_ns;
	for (size_t i = 0; i < end; i++) {
		add_span(&t, &page->trace[i], i, &plan->steps[i]);
		if (t.zero_ns == 0)
			t.zero_ns = page->trace[i].start_ns;
	}
	put(options, &t);
}

void trace_write_start(const struct trace_options *options, const struct progress *page,
		       const struct progress *child)
{
	size_t n = page->n_trace, n_child = child ? child->n_trace : 0;
	/* The starter's list is the tail of the list that create had. */
	size_t offset = n_child > n ? n_child - n : 0;
	struct trace t;

	trace_init(&t, n + n_child, NULL);
	t.zero_ns = n ? page->trace[0].start_ns : 0;
	for (size_t i = 0; i < n; i++)
		add_span(&t, &page->trace[i], offset + i, NULL);
	for (size_t i = child ? end_of_create(child) : 0; i < n_child; i++)
		add_span(&t, &child->trace[i], i, NULL);
	put(options, &t);
}
