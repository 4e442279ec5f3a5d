/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `image tree`: the layers of an image, the lowest first, with what each is called and which other images have it; then what
 * refers to the image.
 */
#include "base/json_write.h"
#include "base/utf8.h"
#include "cli/cmd/command.h"
#include "cli/format_print.h"
#include "cli/human.h"
#include "image/artifacts.h"
#include "image/image.h"

#include <stdio.h>
#include <string.h>

struct args {
	const char *format, *platform;
	bool no_trunc;
};

/* Every image of the store that can be read. */
struct others {
	struct arena *arena;
	struct image *items;
	size_t n;
};

static int read_others(const struct store *store, const struct platform *platform,
		       struct others *others, struct err *err)
{
	struct image_index index;
	int r = refs_read(store, others->arena, &index, err);

	if (r < 0)
		return r;
	others->items = arena_array(others->arena, index.manifests.n + 1, sizeof(*others->items));
	for (size_t i = 0; i < index.manifests.n; i++) {
		struct err ignored = ERR_INIT;

		/* Of another platform, or damaged: `images` and `system check` tell. */
		if (image_load(store, others->arena, &index.manifests.items[i], platform,
			       &others->items[others->n], &ignored) == 0)
			others->n++;
	}
	return 0;
}

static const char *called(const struct others *others, const struct image *image)
{
	char id[IMAGE_ID_SHORT + 1];

	return image->name ? image->name
			   : arena_strdup(others->arena, image_short_id(image->id, id));
}

/* The same layer on the same layers: then it is one directory, and what is below it, too. */
static bool has_up_to(const struct image *image, const struct image *other, size_t i)
{
	if (other->config.diff_ids.n <= i)
		return false;
	for (size_t k = 0; k <= i; k++) {
		if (strcmp(image->config.diff_ids.items[k], other->config.diff_ids.items[k]) != 0)
			return false;
	}
	return true;
}

static bool is_in(const struct image *image, const char *diff_id)
{
	for (size_t i = 0; i < image->config.diff_ids.n; i++) {
		if (!strcmp(image->config.diff_ids.items[i], diff_id))
			return true;
	}
	return false;
}

/* Names of the image itself that end at a layer are its tags; of other images: those that share it. */
static void add_names(struct json_writer *w, const char *key, const struct others *others,
		      const struct image *image, size_t i, bool tags)
{
	const char *diff_id = image->config.diff_ids.items[i];

	json_array_begin(w, key);
	for (size_t k = 0; k < others->n; k++) {
		const struct image *other = &others->items[k];
		bool ends = other->config.diff_ids.n == i + 1 && has_up_to(image, other, i);
		bool same = !strcmp(other->id, image->id);

		if (tags ? ends : is_in(other, diff_id) && !ends && !same)
			json_add_string(w, NULL, called(others, other));
	}
	json_array_end(w);
}

static const struct json *describe(const struct others *others, const struct image *image, size_t i,
				   const struct image_history *step, struct err *err)
{
	const struct json *root;
	struct json_writer w;

	json_writer_init(&w, others->arena, 0);
	json_object_begin(&w, NULL);
	json_add_u64(&w, "Layer", i + 1);
	json_add_string(&w, "DiffID", image->config.diff_ids.items[i]);
	json_add_string(&w, "Digest", image->manifest.layers.items[i].digest);
	json_add_u64(&w, "Size", image->manifest.layers.items[i].size);
	json_add_string(&w, "CreatedBy", step && step->created_by ? step->created_by : "");
	add_names(&w, "Tags", others, image, i, true);
	add_names(&w, "SharedWith", others, image, i, false);
	json_object_end(&w);
	return json_writer_read(&w, &root, err) < 0 ? NULL : root;
}

/* ---- for people --------------------------------------------------------------------------------------------------- */

static void print_names(const char *before, const struct json *names)
{
	const char *separator = before;
	const struct json *name;
	char text[1024];

	json_each(name, names) {
		utf8_printable(name->text, text, sizeof(text));
		printf("%s%s", separator, text);
		separator = ", ";
	}
}

static void print_layer(const struct others *others, const struct image *image, size_t i,
			const struct json *layer, bool whole)
{
	const char *digest = image->config.diff_ids.items[i];
	char id[IMAGE_ID_SHORT + 1];

	printf("%s %s  %s", i + 1 < image->config.diff_ids.n ? "|--" : "`--",
	       whole ? digest : image_short_id(digest, id),
	       human_size(others->arena, image->manifest.layers.items[i].size));
	print_names("  ", json_member(layer, "Tags"));
	print_names("  shared with ", json_member(layer, "SharedWith"));
	printf("\n");
}

/* One, and below it what refers to it. */
static void print_artifact(const struct others *others, const struct artifact_list *list,
			   const struct artifact *one, int depth, bool whole)
{
	const char *digest = one->manifest.digest;
	char id[IMAGE_ID_SHORT + 1], type[256];

	utf8_printable(one->manifest.artifact_type, type, sizeof(type));
	printf("%*s<-- %s  %s  %s\n", 4 * depth, "", whole ? digest : image_short_id(digest, id),
	       human_size(others->arena, one->size), type);
	for (size_t i = 0; i < list->n; i++) {
		if (!strcmp(list->items[i].subject, digest))
			print_artifact(others, list, &list->items[i], depth + 1, whole);
	}
}

static void print_artifacts(const struct others *others, const struct artifact_list *list,
			    bool whole)
{
	for (size_t i = 0; i < list->n; i++) {
		if (!artifacts_has(list, list->items[i].subject))
			print_artifact(others, list, &list->items[i], 0, whole);
	}
}

static void print_head(const struct others *others, const struct image *image, const char *typed,
		       bool whole)
{
	char id[IMAGE_ID_SHORT + 1], name[1024];

	utf8_printable(image->name ? image->name : typed, name, sizeof(name));
	printf("%s  %s  %s\n", name, whole ? image->id : image_short_id(image->id, id),
	       human_size(others->arena, image->size));
}

static int show(const struct others *others, const struct image *image,
		const struct artifact_list *artifacts, const char *typed, const struct args *a,
		struct output_form *form, struct err *err)
{
	const struct image_history **steps =
		arena_array(others->arena, image->config.diff_ids.n + 1, sizeof(*steps));

	image_layer_steps(&image->config, steps);
	if (!form)
		print_head(others, image, typed, a->no_trunc);
	for (size_t i = 0; i < image->config.diff_ids.n; i++) {
		const struct json *layer = describe(others, image, i, steps[i], err);
		int r = !layer ? err->code : form ? output_form_add(form, layer, err) : 0;

		if (r < 0)
			return r;
		if (!form)
			print_layer(others, image, i, layer, a->no_trunc);
	}
	if (form)
		output_form_end(form);
	else
		print_artifacts(others, artifacts, a->no_trunc);
	return 0;
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	defer_arena struct arena arena = { 0 };
	defer_store struct store store = STORE_INIT;
	struct platform host = image_host_platform(&arena), platform = host;
	struct others others = { .arena = &arena };
	struct artifact_list all, artifacts = { 0 };
	struct output_form form;
	struct image image;
	int r = a->platform ? platform_parse(&arena, a->platform, &host, &platform, err) : 0;

	if (r == 0 && a->format)
		r = output_form_read(&arena, a->format, NULL, &form, err);
	if (r == 0)
		r = open_store(cli, &store, err);
	if (r == 0)
		r = image_find(&store, &arena, words->words[0], &platform, &image, err);
	if (r == 0)
		r = read_others(&store, &platform, &others, err);
	if (r == 0)
		r = artifacts_in_store(&store, &arena, &all, err);
	if (r == 0)
		r = artifacts_of(&store, &arena, &all, image.entry.digest, &artifacts, err);
	return r < 0 ? r
		     : show(&others, &image, &artifacts, words->words[0], a,
			    a->format ? &form : NULL, err);
}

static const struct option options[] = {
	{ "format", 0, "FORMAT", "json, or a Go template: {{.DiffID}} {{.Tags}}", option_set_text,
	  offsetof(struct args, format) },
	{ "no-trunc", 0, NULL, "show ids in full", option_set_switch,
	  offsetof(struct args, no_trunc) },
	{ "platform", 0, "PLATFORM", "which image of an index: OS/ARCH[/VARIANT]", option_set_text,
	  offsetof(struct args, platform) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_image_tree = {
	.name = "image tree",
	.operands = "IMAGE",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "show the layers of an image, the lowest first, and who shares them",
	.options = options,
	.records_nothing = true,
	.run = run,
};
