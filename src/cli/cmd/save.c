/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `save`: images into an archive or a layout. */
#include "cli/cmd/command.h"
#include "cli/cmd/output.h"
#include "image/deflate.h"
#include "image/lease.h"
#include "image/save.h"

#include <string.h>

struct args {
	const char *output, *format, *compress, *platform;
	bool all_artifacts;
};

enum { FORMAT_BOTH, FORMAT_OCI, FORMAT_DIRECTORY };

static int read_format(const char *text, int *ret, struct err *err)
{
	static const char *const names[] = { "docker-archive", "oci-archive", "oci-dir" };

	*ret = FORMAT_BOTH;
	if (!text)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i], text) == 0) {
			*ret = (int)i;
			return 0;
		}
	}
	err_user(err, "unknown format \"%s\"", text);
	return err_hint(err, "it is docker-archive, oci-archive or oci-dir");
}

static int find(const struct store *store, struct arena *arena, const struct operands *words,
		const char *wanted, struct save_list *ret, struct err *err)
{
	struct platform host = image_host_platform(arena), platform = host;
	struct image *images = arena_array(arena, words->n, sizeof(*images));
	const char **names = arena_array(arena, words->n, sizeof(*names));
	int r = wanted ? platform_parse(arena, wanted, &host, &platform, err) : 0;

	for (size_t i = 0; r == 0 && i < words->n; i++) {
		struct descriptor entry;

		r = image_find_entry(store, arena, operands_at(words, i), &entry, err);
		if (r == 0)
			r = lease_blob(store, entry.digest, err);
		if (r == 0)
			r = image_find(store, arena, operands_at(words, i), &platform, &images[i],
				       err);
		names[i] = r == 0 ? images[i].name : NULL;
	}
	ret->items = images;
	ret->names = names;
	ret->n = words->n;
	return r;
}

static int find_artifacts(const struct store *store, struct arena *arena, struct save_list *images,
			  struct err *err)
{
	struct artifact_list all;
	int r = artifacts_in_store(store, arena, &all, err);

	for (size_t i = 0; r == 0 && i < images->n; i++)
		r = artifacts_of(store, arena, &all, images->items[i].digest, &images->artifacts,
				 err);
	return r;
}

/* ---- a tar ------------------------------------------------------------------------------------------------------ */

static int write_tar(const struct store *store, struct arena *arena, const struct save_list *images,
		     enum media_compression compression, int fd, struct err *err)
{
	struct deflate *deflate = NULL;
	struct fd_sink out;
	int r;

	fd_sink_init(&out, fd);
	r = deflate_new(compression, &out.sink, &deflate, err);
	if (r == 0)
		r = save_tar(store, arena, images, deflate_sink(deflate), err);
	if (r == 0)
		r = deflate_end(deflate, err);
	deflate_free(deflate);
	return r;
}

static int write_images(const struct store *store, struct arena *arena,
			const struct save_list *images, const struct args *a, int format,
			enum media_compression compression, struct err *err)
{
	struct output output;
	int r;

	if (format == FORMAT_DIRECTORY)
		return output_layout(store, arena, images, a->output, false, err);
	r = output_begin(arena, a->output, &output, err);
	if (r < 0)
		return r;
	r = write_tar(store, arena, images, compression, output.fd, err);
	return output_end(&output, r, err);
}

static int check_args(const struct args *a, int *ret_format,
		      enum media_compression *ret_compression, struct err *err)
{
	int r = read_format(a->format, ret_format, err);

	if (r == 0)
		r = read_compression(a->compress ? a->compress : "none", ret_compression, err);
	if (r < 0)
		return r;
	if (*ret_format == FORMAT_DIRECTORY && !a->output)
		return err_user(err, "format oci-dir needs --output DIR");
	if (*ret_format == FORMAT_DIRECTORY && a->compress)
		return err_user(err, "a directory can't be compressed");
	return output_check(a->output, err);
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	defer_arena struct arena arena = { 0 };
	defer_store struct store store = STORE_INIT;
	enum media_compression compression;
	struct save_list images = { 0 };
	int format, r;

	r = check_args(a, &format, &compression, err);
	if (r == 0)
		r = open_store(cli, &store, err);
	if (r == 0)
		r = find(&store, &arena, words, a->platform, &images, err);
	if (r == 0 && a->all_artifacts)
		r = find_artifacts(&store, &arena, &images, err);
	images.oci_only = format != FORMAT_BOTH;
	return r < 0 ? r : write_images(&store, &arena, &images, a, format, compression, err);
}

static const struct option options[] = {
	{ "all-artifacts", 0, NULL,
	  "with the signatures, SBOMs and whatever else refers to the images in the store",
	  option_set_switch, offsetof(struct args, all_artifacts) },
	{ "compress", 0, "METHOD", "compress the archive: gzip, zstd or none (default)",
	  option_set_text, offsetof(struct args, compress) },
	{ "format", 0, "FORMAT", "docker-archive (default), oci-archive or oci-dir",
	  option_set_text, offsetof(struct args, format) },
	{ "output", 'o', "PATH", "a file, or the directory to be made; without it, standard output",
	  option_set_text, offsetof(struct args, output) },
	{ "platform", 0, "PLATFORM", "which image of an index: OS/ARCH[/VARIANT]", option_set_text,
	  offsetof(struct args, platform) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_save = {
	.name = "save",
	.alias = "image save",
	.operands = "IMAGE...",
	.min_operands = 1,
	.max_operands = OPERANDS_ANY,
	.summary = "write images into an archive or a directory",
	.details = "docker-archive is an OCI image layout as well, so every tool can read it.",
	.options = options,
	.records_nothing = true,
	.run = run,
};
