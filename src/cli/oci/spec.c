/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/oci/command.h"
#include "spec/template.h"

#include <fcntl.h>
#include <string.h>

struct args {
	const char *bundle;
	bool rootless;
};

static int write_config(int fd, const char *text, size_t len)
{
	ssize_t n;

	for (; len > 0; text += n, len -= (size_t)n) {
		n = write(fd, text, len);
		if (n < 0)
			return -errno;
	}
	return 0;
}

/* O_EXCL: what a person has written by hand is not replaced. */
static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const char *bundle = ((const struct args *)args)->bundle;
	bool rootless = ((const struct args *)args)->rootless;
	defer_close int dir = -EBADF, file = -EBADF;
	defer_arena struct arena arena = { 0 };
	struct json_writer w;
	size_t len;
	char *text;
	int r;

	bundle = bundle ? bundle : ".";
	dir = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(err, "open the bundle \"%s\"", bundle);
	file = openat(dir, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (file < 0 && errno == EEXIST) {
		err_user_code(err, -EEXIST, "config.json is already there in \"%s\"", bundle);
		return err_hint(err, "remove it first, or give another --bundle");
	}
	if (file < 0)
		return err_sys(err, "make config.json in \"%s\"", bundle);

	json_writer_init(&w, &arena, 2);
	if (rootless)
		template_write_rootless(&w, geteuid(), getegid());
	else
		template_write(&w);
	text = json_writer_text(&w, &len);
	text[len] = '\n'; /* in place of the NUL */
	r = write_config(file, text, len + 1);
	if (r < 0) {
		unlinkat(dir, "config.json", 0);
		return err_set(err, r, "write config.json in \"%s\"", bundle);
	}
	return 0;
}

static const struct option options[] = {
	{ "bundle", 'b', "DIR", "where to write it (default: the current directory)",
	  option_set_text, offsetof(struct args, bundle) },
	{ "rootless", 0, NULL, "for the user who calls, not for root", option_set_switch,
	  offsetof(struct args, rootless) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_spec = {
	.name = "spec",
	.operands = "",
	.summary = "write a config.json to start from",
	.options = options,
	.records_nothing = true,
	.run = run,
};
