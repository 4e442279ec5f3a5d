/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * layer-unpack [--user] [--may-skip] [--limit BYTES] DIRECTORY: unpack the layer on standard input, as the tests give it.
 * Prints what was done as "entries bytes devices_skipped xattrs_skipped".
 */
#include "base/num.h"
#include "image/inflate.h"
#include "image/layer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int unpack(const char *directory, const struct layer_options *options, uint64_t limit,
		  struct err *err)
{
	struct inflate *inflate = NULL;
	defer_close int root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct layer_result result;
	struct fd_stream input;
	int r;

	if (root < 0)
		return err_sys(err, "open \"%s\"", directory);
	fd_stream_init(&input, 0);
	r = inflate_new(&input.stream, limit, &inflate, err);
	if (r == 0)
		r = layer_unpack(root, inflate_stream(inflate), options, &result, err);
	inflate_free(inflate);
	if (r == 0)
		printf("%" PRIu64 " %" PRIu64 " %u %u\n", result.entries, result.bytes,
		       result.devices_skipped, result.xattrs_skipped);
	return r;
}

int main(int argc, char **argv)
{
	struct layer_options options = { 0 };
	uint64_t limit = UINT64_MAX;
	struct err err = ERR_INIT;
	char text[2048];
	int i;

	if (argc == 1) {
		puts("usage: layer-unpack [--user] [--may-skip] [--limit BYTES] DIRECTORY");
		return 0;
	}
	for (i = 1; i < argc - 1; i++) {
		options.user_xattrs |= !strcmp(argv[i], "--user");
		options.may_skip |= !strcmp(argv[i], "--may-skip");
		if (!strcmp(argv[i], "--limit") &&
		    num_parse_u64(argv[i + 1], 0, UINT64_MAX, &limit) < 0)
			return 2;
	}
	if (unpack(argv[argc - 1], &options, limit, &err) == 0)
		return 0;
	err_render(&err, text, sizeof(text));
	fprintf(stderr, "%s\n", text);
	return 1;
}
