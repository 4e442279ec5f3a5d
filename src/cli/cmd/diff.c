/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `diff`: what a container has changed, what a layer of an image changes, or what is different between two images. */
#include "base/json_write.h"
#include "base/num.h"
#include "base/utf8.h"
#include "cli/cmd/command.h"
#include "cli/format_print.h"
#include "engine/view.h"
#include "image/diff.h"
#include "image/lease.h"
#include "os/dir.h"
#include "os/mount.h"

#include <stdio.h>
#include <string.h>

struct args {
	const char *format, *layer;
};

/* A container, or an image. */
struct side {
	bool is_container;
	struct view view;
	struct image image;
	struct view_layers layers; /* of the image */
};

struct diffing {
	const struct args *args;
	struct roots roots;
	struct store store;
	struct arena arena;
	struct diff diff;
	struct side sides[2];
};

static int read_image(struct diffing *d, const char *text, struct side *ret, struct err *err)
{
	const struct platform host = image_host_platform(&d->arena);
	struct descriptor entry;
	int r = image_find_entry(&d->store, &d->arena, text, &entry, err);

	if (r == -ENOENT)
		return err_user_code(err, r, "there is no container and no image \"%s\"", text);
	if (r == 0)
		r = lease_blob(&d->store, entry.digest, err);
	if (r == 0)
		r = image_load(&d->store, &d->arena, &entry, &host, &ret->image, err);
	if (r == 0)
		r = view_layers_of(&d->arena, &d->roots, &d->store, &ret->image, &ret->layers, err);
	return r < 0 ? err_context(err, "image \"%s\"", text) : 0;
}

/* A container's name goes before an image's, as docker's inspect has it. */
static int read_side(struct diffing *d, const char *text, struct side *ret, struct err *err)
{
	char id[CONTAINER_ID_DIGITS + 1];
	int r = containers_find(&d->roots, text, id, err);

	if (r == -ENOENT) {
		*err = ERR_INIT;
		return read_image(d, text, ret, err);
	}
	if (r == 0)
		r = view_open(&d->arena, &d->roots, &d->store, id, &ret->view, err);
	ret->is_container = r == 0;
	return r;
}

/* ---- one ---------------------------------------------------------------------------------------------------------- */

static int diff_container(struct diffing *d, const struct view *view, struct err *err)
{
	defer_close int upper = view_upper(view, err);
	defer_close int lower = upper < 0 ? -EBADF : view_lower(view, err);
	int r;

	if (err->code)
		return err->code;
	r = diff_upper(upper, lower, &view->mounts, &d->diff, err);
	return r < 0 ? err_context(err, "container %.12s", view->record.id) : view_check(view, err);
}

/* --layer, or the topmost; counted from 1. Return: its number; 0 if there is none at all; -errno */
static int choose_layer(const struct diffing *d, const struct image *image, struct err *err)
{
	size_t n = image->config.diff_ids.n;
	uint64_t number;

	if (!d->args->layer)
		return (int)n;
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(image->config.diff_ids.items[i], d->args->layer) ||
		    !strcmp(image->manifest.layers.items[i].digest, d->args->layer))
			return (int)i + 1;
	}
	if (num_parse_u64(d->args->layer, 1, n, &number) == 0)
		return (int)number;
	err_user(err, "the image has no layer \"%s\"", d->args->layer);
	return err_hint(err, "it is a number from 1, the lowest, to %zu, or a digest", n);
}

static int diff_image(struct diffing *d, const struct side *side, struct err *err)
{
	static const struct str_list no_mounts = { .n = 0 };
	int number = choose_layer(d, &side->image, err), r;
	defer_close int upper = -EBADF, lower = -EBADF;

	if (number <= 0)
		return number;
	upper = os_dir_open(side->layers.items[number - 1]);
	if (upper < 0)
		return err_set(err, upper, "open \"%s\"", side->layers.items[number - 1]);
	lower = view_layers_open(&side->layers, (size_t)number - 1, err);
	if (err->code)
		return err->code;
	r = diff_upper(upper, lower, &no_mounts, &d->diff, err);
	return r < 0 ? err_context(err, "layer %d", number) : 0;
}

/* ---- two ---------------------------------------------------------------------------------------------------------- */

static int open_whole(const struct side *side, struct err *err)
{
	int fd = view_layers_open(&side->layers, side->layers.n, err);

	if (fd >= 0 || err->code)
		return fd;
	fd = os_tmpfs_empty_ro(NULL);
	return fd < 0 ? err_set(err, fd, "make an empty directory") : fd;
}

static int diff_two(struct diffing *d, struct err *err)
{
	defer_close int before = open_whole(&d->sides[0], err);
	defer_close int after = before < 0 ? -EBADF : open_whole(&d->sides[1], err);

	return err->code ? err->code : diff_trees(before, after, &d->diff, err);
}

/* ---- output ------------------------------------------------------------------------------------------------------- */

static const char *const letters[] = {
	[COMPARE_ADDED] = "A",
	[COMPARE_CHANGED] = "C",
	[COMPARE_DELETED] = "D",
};

static int show_formatted(struct diffing *d, struct err *err)
{
	struct output_form form;
	int r = output_form_read(&d->arena, d->args->format, NULL, &form, err);

	for (size_t i = 0; r == 0 && i < d->diff.n; i++) {
		const struct diff_entry *entry = &d->diff.items[i];
		const struct json *root;
		struct json_writer w;

		json_writer_init(&w, &d->arena, 0);
		json_object_begin(&w, NULL);
		json_add_string(&w, "Kind", letters[entry->change]);
		json_add_string(&w, "Path", arena_printf(&d->arena, "/%s", entry->path));
		json_object_end(&w);
		r = json_writer_read(&w, &root, err);
		if (r == 0)
			r = output_form_add(&form, root, err);
	}
	if (r == 0)
		output_form_end(&form);
	return r;
}

static void show_lines(const struct diffing *d)
{
	char path[4 * PATH_MAX];

	for (size_t i = 0; i < d->diff.n; i++) {
		utf8_printable(d->diff.items[i].path, path, sizeof(path));
		printf("%s /%s\n", letters[d->diff.items[i].change], path);
	}
}

static int refuse_container(const char *text, struct err *err)
{
	err_user(err, "\"%s\" is a container, and two that are compared must be images", text);
	return err_hint(err,
			"tare diff %s shows what it has changed, tare commit makes an image of it",
			text);
}

static int diff(struct diffing *d, const struct operands *words, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < words->n; i++) {
		r = read_side(d, words->words[i], &d->sides[i], err);
		if (r == 0 && words->n > 1 && d->sides[i].is_container)
			r = refuse_container(words->words[i], err);
	}
	if (r == 0 && d->args->layer && (words->n > 1 || d->sides[0].is_container))
		r = err_user(err, "--layer is for one image");
	if (r < 0)
		return r;
	if (words->n > 1)
		return diff_two(d, err);
	return d->sides[0].is_container ? diff_container(d, &d->sides[0].view, err)
					: diff_image(d, &d->sides[0], err);
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	struct diffing d = { .args = args, .roots = roots_of(cli), .store = STORE_INIT };
	int r = open_store(cli, &d.store, err);

	d.diff.arena = &d.arena;
	d.sides[0].view = d.sides[1].view = VIEW_INIT;
	if (r == 0)
		r = diff(&d, words, err);
	if (r == 0 && d.args->format)
		r = show_formatted(&d, err);
	else if (r == 0)
		show_lines(&d);
	view_clear(&d.sides[0].view);
	view_clear(&d.sides[1].view);
	store_clear(&d.store);
	arena_clear(&d.arena);
	return r;
}

static const struct option options[] = {
	{ "format", 0, "FORMAT", "json, or a Go template: {{.Kind}} {{.Path}}", option_set_text,
	  offsetof(struct args, format) },
	{ "layer", 0, "LAYER", "of an image: a number from 1, the lowest, or a digest",
	  option_set_text, offsetof(struct args, layer) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_diff = {
	.name = "diff",
	.alias = "container diff",
	.operands = "CONTAINER|IMAGE [IMAGE]",
	.min_operands = 1,
	.max_operands = 2,
	.summary = "show what was added (A), changed (C) and deleted (D)",
	.details =
		"Of a container: since it was made. Of an image: by its topmost layer. Of two images: from the first to\n"
		"the second.",
	.options = options,
	.run = run,
};
