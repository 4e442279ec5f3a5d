/* SPDX-License-Identifier: GPL-2.0-or-later */
/* layer-pack [--upper] [--newest SECONDS] [--gzip | --zstd] DIRECTORY: the layer of a directory on standard output. */
#include "base/num.h"
#include "image/deflate.h"
#include "image/pack.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static int pack(const char *directory, const struct pack_options *options,
		enum media_compression compression, struct err *err)
{
	defer_close int root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct deflate *deflate = NULL;
	struct pack_result result;
	struct fd_sink out;
	int r;

	if (root < 0)
		return err_sys(err, "open \"%s\"", directory);
	fd_sink_init(&out, 1);
	r = deflate_new(compression, &out.sink, &deflate, err);
	if (r == 0)
		r = pack_tree(root, options, deflate_sink(deflate), &result, err);
	if (r == 0)
		r = deflate_end(deflate, err);
	deflate_free(deflate);
	return r;
}

int main(int argc, char **argv)
{
	struct pack_options options = { .newest = PACK_TIMES_KEPT };
	enum media_compression compression = COMPRESSION_NONE;
	struct err err = ERR_INIT;
	char text[2048];
	uint64_t newest;

	if (argc == 1) {
		puts("usage: layer-pack [--upper] [--newest SECONDS] [--gzip | --zstd] DIRECTORY");
		return 0;
	}
	for (int i = 1; i < argc - 1; i++) {
		options.is_upper |= !strcmp(argv[i], "--upper");
		if (!strcmp(argv[i], "--gzip"))
			compression = COMPRESSION_GZIP;
		if (!strcmp(argv[i], "--zstd"))
			compression = COMPRESSION_ZSTD;
		if (!strcmp(argv[i], "--newest")) {
			if (num_parse_u64(argv[i + 1], 0, INT64_MAX, &newest) < 0)
				return 2;
			options.newest = (int64_t)newest;
		}
	}
	if (pack(argv[argc - 1], &options, compression, &err) == 0)
		return 0;
	err_render(&err, text, sizeof(text));
	fprintf(stderr, "%s\n", text);
	return 1;
}
