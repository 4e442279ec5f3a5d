/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `image inspect`: everything about images, by docker's names; or a manifest as it is. */
#include "base/json_write.h"
#include "cli/cmd/inspect.h"
#include "cli/cmd/registry.h"
#include "cli/format_print.h"
#include "image/artifacts.h"
#include "image/blob.h"
#include "image/image.h"
#include "spec/image_write.h"
#include "spec/reference.h"

#include <stdio.h>
#include <string.h>

struct args {
	const char *format, *platform;
	bool raw;
	struct registry_args registry;
};

static void add_text(struct json_writer *w, const char *key, const char *value)
{
	json_add_string(w, key, value ? value : "");
}

/* All names of the image; as digests: where it can be had from, so not those of this machine. */
static void add_names(struct json_writer *w, struct arena *arena, const struct image_index *index,
		      const struct image *image, bool as_digests)
{
	json_array_begin(w, as_digests ? "RepoDigests" : "RepoTags");
	for (size_t i = 0; i < index->manifests.n; i++) {
		const struct descriptor *entry = &index->manifests.items[i];
		const char *name = refs_name(entry);
		struct err ignored = ERR_INIT;
		struct reference reference;

		if (!name || strcmp(entry->digest, image->entry.digest) != 0)
			continue;
		if (!as_digests) {
			json_add_string(w, NULL, name);
			continue;
		}
		if (reference_parse(arena, name, &reference, &ignored) < 0 ||
		    reference_is_local(&reference))
			continue;
		json_add_string(w, NULL,
				arena_printf(arena, "%s@%s", reference_name(arena, &reference),
					     entry->digest));
	}
	json_array_end(w);
}

static void add_rootfs(struct json_writer *w, const struct image *image)
{
	json_object_begin(w, "RootFS");
	json_add_string(w, "Type", "layers");
	json_array_begin(w, "Layers");
	for (size_t i = 0; i < image->config.diff_ids.n; i++)
		json_add_string(w, NULL, image->config.diff_ids.items[i]);
	json_array_end(w);
	json_object_end(w);
}

static void add_annotations(struct json_writer *w, const struct key_value_list *annotations)
{
	json_object_begin(w, "Annotations");
	for (size_t i = 0; i < annotations->n; i++)
		json_add_string(w, annotations->items[i].key, annotations->items[i].value);
	json_object_end(w);
}

/* What refers to it: signatures, SBOMs. */
static void add_artifacts(struct json_writer *w, const struct artifact_list *artifacts)
{
	json_array_begin(w, "Artifacts");
	for (size_t i = 0; i < artifacts->n; i++) {
		const struct artifact *one = &artifacts->items[i];

		json_object_begin(w, NULL);
		json_add_string(w, "Digest", one->manifest.digest);
		json_add_string(w, "ArtifactType", one->manifest.artifact_type);
		json_add_string(w, "Subject", one->subject);
		json_add_u64(w, "Size", one->size);
		add_annotations(w, &one->manifest.annotations);
		json_object_end(w);
	}
	json_array_end(w);
}

static void write_image(struct json_writer *w, struct arena *arena, const struct image_index *index,
			const struct image *image, const struct artifact_list *artifacts)
{
	const struct image_history_list *history = &image->config.history;
	const char *type = image->manifest.media_type;

	json_object_begin(w, NULL);
	json_add_string(w, "Id", image->id);
	json_add_string(w, "Digest", image->digest);
	add_names(w, arena, index, image, false);
	add_names(w, arena, index, image, true);
	add_text(w, "Comment", history->n ? history->items[history->n - 1].comment : NULL);
	add_text(w, "Created", image->config.created);
	add_text(w, "Author", image->config.author);
	image_process_write_all(w, "Config", &image->config.process);
	add_text(w, "Architecture", image->config.platform.architecture);
	add_text(w, "Variant", image->config.platform.variant);
	add_text(w, "Os", image->config.platform.os);
	json_add_u64(w, "Size", image->size);
	add_rootfs(w, image);
	json_add_string(w, "ManifestType", type ? type : MEDIA_OCI_MANIFEST);
	add_annotations(w, &image->manifest.annotations);
	add_artifacts(w, artifacts);
	json_object_end(w);
}

/* A manifest or an index, as it was signed. */
static int print_raw(const struct store *store, struct arena *arena, const char *name,
		     struct err *err)
{
	struct descriptor entry;
	char *text;
	size_t len;
	int r = image_find_entry(store, arena, name, &entry, err);

	if (r == 0)
		r = blob_read(store, arena, entry.digest, IMAGE_MANIFEST_MAX_BYTES, &text, &len,
			      err);
	return r < 0 ? r : write_stdout(text, len, err);
}

static int print_raw_remote(struct arena *arena, const char *name, const struct args *a,
			    struct err *err)
{
	struct progress progress;
	struct pull_request request = { .name = name, .access = registry_access_of(&a->registry) };
	const char *text;
	size_t len;
	int r;

	progress_init(&progress, true);
	request.watch = progress_watch(&progress);
	r = transfer_manifest(arena, &request, &text, &len, err);
	return r < 0 ? r : write_stdout(text, len, err);
}

struct inspection {
	const struct store *store;
	struct arena *arena;
	struct image_index index;
	struct artifact_list artifacts; /* of all images */
	struct platform platform;
	struct json_writer all; /* without --format: one array of all */
	struct output_form form;
	bool has_form;
};

static int add_image(struct inspection *in, const char *name, struct json_writer *w,
		     struct err *err)
{
	struct artifact_list own = { 0 };
	struct image image;
	int r = image_find(in->store, in->arena, name, &in->platform, &image, err);

	if (r == 0)
		r = artifacts_of(in->store, in->arena, &in->artifacts, image.entry.digest, &own,
				 err);
	if (r == 0)
		write_image(w, in->arena, &in->index, &image, &own);
	return r;
}

static int inspect(struct inspection *in, const char *name, struct err *err)
{
	const struct json *root;
	struct json_writer w;
	int r;

	if (!in->has_form)
		return add_image(in, name, &in->all, err);
	json_writer_init(&w, in->arena, 0);
	r = add_image(in, name, &w, err);
	if (r == 0)
		r = json_writer_read(&w, &root, err);
	return r < 0 ? r : output_form_add(&in->form, root, err);
}

static int prepare(struct inspection *in, const struct args *a, struct err *err)
{
	struct platform host = image_host_platform(in->arena);
	int r = refs_read(in->store, in->arena, &in->index, err);

	if (r == 0)
		artifacts_listed(in->store, in->arena, &in->index, &in->artifacts);
	in->platform = host;
	if (r == 0 && a->platform)
		r = platform_parse(in->arena, a->platform, &host, &in->platform, err);
	in->has_form = a->format != NULL;
	if (r == 0 && in->has_form)
		r = output_form_read(in->arena, a->format, NULL, &in->form, err);
	json_writer_init(&in->all, in->arena, 4);
	json_array_begin(&in->all, NULL);
	return r;
}

int inspect_image(const struct store *store, struct arena *arena, const char *name,
		  struct json_writer *w, struct err *err)
{
	static const struct args none = { .format = NULL };
	struct inspection in = { .store = store, .arena = arena };
	int r = prepare(&in, &none, err);

	return r < 0 ? r : add_image(&in, name, w, err);
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	defer_arena struct arena arena = { 0 };
	defer_store struct store store = STORE_INIT;
	struct inspection in = { .store = &store, .arena = &arena };
	const char *first = words->words[0];
	int r;

	if (a->raw && words->n > 1)
		return err_user(err, "--raw shows one image");
	if (!strncmp(first, REGISTRY_PREFIX, strlen(REGISTRY_PREFIX)))
		return a->raw ? print_raw_remote(&arena, first + strlen(REGISTRY_PREFIX), a, err)
			      : err_user(err,
					 "of what is at a registry only --raw shows something");
	r = open_store(cli, &store, err);
	if (r < 0)
		return r;
	if (a->raw)
		return print_raw(&store, &arena, first, err);
	r = prepare(&in, a, err);
	for (size_t i = 0; r == 0 && i < words->n; i++)
		r = inspect(&in, operands_at(words, i), err);
	if (r == 0 && !in.has_form) {
		json_array_end(&in.all);
		printf("%s\n", json_writer_text(&in.all, NULL));
	}
	return r;
}

static const struct option options[] = {
	{ "format", 'f', "FORMAT", "json, or a Go template: {{.Config.Cmd}}", option_set_text,
	  offsetof(struct args, format) },
	{ "platform", 0, "PLATFORM", "which image of an index: OS/ARCH[/VARIANT]", option_set_text,
	  offsetof(struct args, platform) },
	{ "raw", 0, NULL,
	  "show the manifest or index, byte by byte; of docker://NAME, that at its registry",
	  option_set_switch, offsetof(struct args, raw) },
	REGISTRY_OPTIONS(struct args, registry),
	CREDS_OPTION(struct args, registry),
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_image_inspect = {
	.name = "image inspect",
	.operands = "IMAGE...",
	.min_operands = 1,
	.max_operands = OPERANDS_ANY,
	.summary = "show everything about images",
	.options = options,
	.records_nothing = true,
	.needs_no_ids = true,
	.run = run,
};
