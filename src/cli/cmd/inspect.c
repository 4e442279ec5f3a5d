/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `inspect`: everything about containers, and about images where there is no container of that name; by docker's names. */
#include "cli/cmd/inspect.h"

#include "cli/cmd/command.h"
#include "cli/format_print.h"

#include <stdio.h>
#include <string.h>

struct args {
	const char *format, *type;
};

struct inspection {
	struct arena *arena;
	struct roots roots;
	const struct cli *cli;
	bool containers, images; /* which are looked for */
	struct json_writer all;  /* without --format: one array of all */
	struct output_form form;
	bool has_form;
};

static int write_image(struct inspection *in, const char *name, struct json_writer *w,
		       struct err *err)
{
	defer_store struct store store = STORE_INIT;
	int r = open_store(in->cli, &store, err);

	return r < 0 ? r : inspect_image(&store, in->arena, name, w, err);
}

static int write_one(struct inspection *in, const char *name, struct json_writer *w,
		     struct err *err)
{
	struct err no_image = ERR_INIT;
	char id[CONTAINER_ID_DIGITS + 1];
	int r = -ENOENT;

	if (in->containers) {
		r = containers_find(&in->roots, name, id, err);
		if (r == 0)
			r = inspect_container(in->arena, &in->roots, id, w, err);
	}
	if (r != -ENOENT || !in->images)
		return r;
	if (!in->containers)
		return write_image(in, name, w, err);
	r = write_image(in, name, w, &no_image);
	if (r < 0)
		return err_user_code(err, -ENOENT, "there is no container and no image \"%.64s\"",
				     name);
	*err = ERR_INIT;
	return 0;
}

static int inspect(struct inspection *in, const char *name, struct err *err)
{
	const struct json *root;
	struct json_writer w;
	int r;

	if (!in->has_form)
		return write_one(in, name, &in->all, err);
	json_writer_init(&w, in->arena, 0);
	r = write_one(in, name, &w, err);
	if (r == 0)
		r = json_writer_read(&w, &root, err);
	return r < 0 ? r : output_form_add(&in->form, root, err);
}

static int read_type(const char *text, struct inspection *in, struct err *err)
{
	in->containers = !text || strcmp(text, "container") == 0;
	in->images = !text || strcmp(text, "image") == 0;
	if (in->containers || in->images)
		return 0;
	err_user(err, "--type: there is no \"%s\"", text);
	return err_hint(err, "it is container or image");
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	defer_arena struct arena arena = { 0 };
	struct inspection in = {
		.arena = &arena, .roots = roots_of(cli), .cli = cli, .has_form = a->format != NULL
	};
	int r = read_type(a->type, &in, err);

	if (r == 0 && in.has_form)
		r = output_form_read(&arena, a->format, NULL, &in.form, err);
	if (r == 0)
		r = containers_sweep(&in.roots, err);
	json_writer_init(&in.all, &arena, 4);
	json_array_begin(&in.all, NULL);
	for (size_t i = 0; r == 0 && i < words->n; i++)
		r = inspect(&in, operands_at(words, i), err);
	if (r == 0 && !in.has_form) {
		json_array_end(&in.all);
		printf("%s\n", json_writer_text(&in.all, NULL));
	}
	return r;
}

static const struct option options[] = {
	{ "format", 'f', "FORMAT", "json, or a Go template: {{.State.Pid}}", option_set_text,
	  offsetof(struct args, format) },
	{ "type", 0, "TYPE", "container or image; else what there is", option_set_text,
	  offsetof(struct args, type) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_inspect = {
	.name = "inspect",
	.alias = "container inspect",
	.operands = "CONTAINER|IMAGE...",
	.min_operands = 1,
	.max_operands = OPERANDS_ANY,
	.summary = "show everything about containers or images",
	.options = options,
	.run = run,
};
