/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `version`: by docker's names. There is no server; scripts that ask for its version mean what runs the containers. */
#include "base/json_write.h"
#include "base/version.h"
#include "cli/cmd/command.h"
#include "cli/format_print.h"
#include "image/image.h"

#include <stdio.h>

struct args {
	const char *format;
};

static void add_side(struct json_writer *w, const char *key, const struct platform *host)
{
	json_object_begin(w, key);
	json_add_string(w, "Version", tare_version);
	json_add_string(w, "GitCommit", tare_commit);
	json_add_string(w, "Os", host->os);
	json_add_string(w, "Arch", host->architecture);
	json_object_end(w);
}

static int run(struct cli *cli, void *args, const struct operands *words, struct err *err)
{
	const struct args *a = args;
	defer_arena struct arena arena = { 0 };
	struct platform host = image_host_platform(&arena);
	const struct json *document;
	struct json_writer w;
	int r;

	if (!a->format) {
		printf("Version:  %s\nCommit:   %s\nOS/Arch:  %s/%s\n", tare_version, tare_commit,
		       host.os, host.architecture);
		return 0;
	}
	json_writer_init(&w, &arena, 0);
	json_object_begin(&w, NULL);
	add_side(&w, "Client", &host);
	add_side(&w, "Server", &host);
	json_object_end(&w);
	r = json_writer_read(&w, &document, err);
	return r < 0 ? r : output_form_print(&arena, a->format, document, err);
}

static const struct option options[] = {
	{ "format", 'f', "FORMAT", "json, or a Go template: {{.Server.Version}}", option_set_text,
	  offsetof(struct args, format) },
	OPTION_END,
};

COMMAND_ARGS(struct args);

const struct command command_version = {
	.name = "version",
	.operands = "",
	.summary = "show which tare this is",
	.options = options,
	.records_nothing = true,
	.needs_no_ids = true,
	.run = run,
};
