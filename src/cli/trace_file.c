/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/trace_file.h"

#include <string.h>

int trace_open(const char *path, struct trace_options *ret, struct err *err)
{
	size_t len;

	*ret = (struct trace_options){ .stream = NULL };
	if (!path)
		return 0;
	if (strcmp(path, "-") == 0) {
		ret->stream = stderr;
		return 0;
	}
	ret->stream = fopen(path, "we");
	if (!ret->stream)
		return err_sys(err, "open trace file \"%s\"", path);
	len = strlen(path);
	ret->json = len > 5 && strcmp(path + len - 5, ".json") == 0;
	return 0;
}

static int trace_close(const char *path, struct trace_options *trace, struct err *err)
{
	FILE *stream = trace->stream;

	trace->stream = NULL;
	if (!stream)
		return 0;
	if (stream == stderr)
		return fflush(stderr) == 0 ? 0 : err_sys(err, "write the trace");
	return fclose(stream) == 0 ? 0 : err_sys(err, "write trace file \"%s\"", path);
}

void trace_end(struct cli *cli, const char *path, struct trace_options *trace)
{
	struct err err = ERR_INIT;

	if (trace_close(path, trace, &err) < 0)
		log_write(&cli->log, LOG_LEVEL_WARNING, "%s", err.text);
}
