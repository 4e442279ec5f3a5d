/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far a transfer is: bars that are drawn over each other on a terminal, and a line for each blob elsewhere. */
#include "cli/cmd/registry.h"
#include "cli/human.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define BAR_WIDTH 30
/* "sha256:" and what people are shown of it */
#define SHORT_DIGITS 12

static const char *short_digest(const char *digest, char *buf, size_t size)
{
	const char *hex = strchr(digest, ':');

	snprintf(buf, size, "%.*s", SHORT_DIGITS, hex ? hex + 1 : digest);
	return buf;
}

static const char *word_for(const struct transfer_item *item)
{
	if (item->finished)
		return item->phase == TRANSFER_IS_THERE ? "is there" : "done";
	switch (item->phase) {
	case TRANSFER_UNPACKS:
		return "unpacking";
	case TRANSFER_MOVES:
		return "";
	default:
		return "waiting";
	}
}

/* ---- elsewhere -------------------------------------------------------------------------------------------------- */

static void print_lines(struct progress *progress, const struct transfer_item *items, size_t n)
{
	defer_arena struct arena arena = { 0 };
	char id[SHORT_DIGITS + 1];

	for (size_t i = 0; i < n && i < 64; i++) {
		if (!items[i].finished || progress->shown >> i & 1)
			continue;
		progress->shown |= (uint64_t)1 << i;
		fprintf(stderr, "%s: %s (%s)\n", short_digest(items[i].digest, id, sizeof(id)),
			word_for(&items[i]), human_size(&arena, items[i].total));
	}
}

/* ---- terminals -------------------------------------------------------------------------------------------------- */

static void draw_bar(struct arena *arena, const struct transfer_item *item)
{
	uint64_t done = item->finished ? item->total : item->done;
	unsigned filled = item->total ? (unsigned)(done * BAR_WIDTH / item->total) : BAR_WIDTH;
	char id[SHORT_DIGITS + 1];

	if (filled > BAR_WIDTH)
		filled = BAR_WIDTH;
	fprintf(stderr, "%s [", short_digest(item->digest, id, sizeof(id)));
	for (unsigned i = 0; i < BAR_WIDTH; i++)
		fputc(i < filled ? '=' : ' ', stderr);
	fprintf(stderr, "] %s / %s %s\033[K\n", human_size(arena, done),
		human_size(arena, item->total), word_for(item));
}

/* A terminal that has fewer rows than there are blobs would scroll, and what scrolled can't be drawn over. */
static size_t rows_for_bars(size_t n)
{
	struct winsize size;
	size_t rows = 24;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1)
		rows = size.ws_row;
	return n < rows ? n : rows - 1;
}

static void draw(struct progress *progress, const struct transfer_item *items, size_t n)
{
	defer_arena struct arena arena = { 0 };
	size_t rows = rows_for_bars(n), left = rows;

	if (progress->lines)
		fprintf(stderr, "\033[%zuA", progress->lines);
	/* What is at work comes first where there is no room for all. */
	for (int finished = rows < n ? 0 : 2; finished < 3; finished++) {
		for (size_t i = 0; left && i < n; i++) {
			if (finished == 2 ? rows < n : items[i].finished != (finished == 1))
				continue;
			draw_bar(&arena, &items[i]);
			left--;
		}
	}
	progress->lines = rows;
}

/* ---- both ------------------------------------------------------------------------------------------------------- */

static void show(void *arg, const struct transfer_item *items, size_t n)
{
	struct progress *progress = arg;

	if (progress->terminal)
		draw(progress, items, n);
	else
		print_lines(progress, items, n);
}

static void say(void *arg, const char *line)
{
	struct progress *progress = arg;

	fprintf(stderr, "%s\n", line);
	progress->lines = 0;
	progress->shown = 0;
}

static void say_warnings(void *arg, const char *line)
{
	if (!strncmp(line, "warning: ", 9))
		say(arg, line);
}

/* On a terminal, a person is asked which of several registries is meant. */
static int choose(void *arg, const char *name, const struct str_list *candidates)
{
	char line[32];
	unsigned long number;
	char *end;

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return -1;
	fprintf(stderr, "\"%s\" could be one of these:\n", name);
	for (size_t i = 0; i < candidates->n; i++)
		fprintf(stderr, "  %zu  %s\n", i + 1, candidates->items[i]);
	fprintf(stderr, "which one? ");
	if (!fgets(line, sizeof(line), stdin))
		return -1;
	number = strtoul(line, &end, 10);
	return end != line && number >= 1 && number <= candidates->n ? (int)number - 1 : -1;
}

void progress_init(struct progress *progress, bool quiet)
{
	*progress = (struct progress){ .quiet = quiet, .terminal = isatty(STDERR_FILENO) };
}

struct transfer_watch progress_watch(struct progress *progress)
{
	return (struct transfer_watch){
		.say = progress->quiet ? say_warnings : say,
		.show = progress->quiet ? NULL : show,
		.choose = choose,
		.interactive = isatty(STDIN_FILENO) && isatty(STDERR_FILENO),
		.arg = progress,
	};
}
