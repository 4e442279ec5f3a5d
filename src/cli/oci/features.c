/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/oci/command.h"
#include "runtime/mount_words.h"
#include "spec/features.h"

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	const char *const *mount_words;
	struct json_writer w;
	size_t n, len;
	char *text;

	mount_words = mount_words_all(&n);
	json_writer_init(&w, &arena, 4);
	features_write(&w, &arena, mount_words, n);
	text = json_writer_text(&w, &len);
	text[len] = '\n'; /* in place of the NUL */
	return write_stdout(text, len + 1, err);
}

static const struct option options[] = { OPTION_END };

const struct command command_features = {
	.name = "features",
	.operands = "",
	.summary = "show what this program can do, as JSON",
	.options = options,
	.records_nothing = true,
	.run = run,
};
