/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cmd/log_output.h"

#include <stdio.h>

int log_output_write(void *to, const struct log_entry *entry, struct err *err)
{
	struct log_output *output = to;
	FILE *stream = entry->is_error ? stderr : stdout;
	bool *open = &output->line_open[entry->is_error];

	if (output->timestamps && !*open)
		fprintf(stream, "%s ", entry->time);
	fwrite(entry->text, 1, entry->len, stream);
	*open = entry->len == 0 || entry->text[entry->len - 1] != '\n';
	fflush(stream);
	return ferror(stdout) ? err_sys(err, "write to standard output") : 0;
}

int log_output_read(struct logs_request *request, bool timestamps, struct err *err)
{
	struct log_output output = { .timestamps = timestamps };
	uint64_t dropped = 0;
	int r;

	request->entry = log_output_write;
	request->to = &output;
	r = logs_read(request, &dropped, err);
	if (r == 0 && dropped)
		fprintf(stderr, "tare: %llu bytes of output could not be logged\n",
			(unsigned long long)dropped);
	return r;
}

int log_output_follow(const struct roots *roots, const char *id, const char *since, struct err *err)
{
	struct logs_request request = {
		.roots = roots, .id = id, .follow = true, .since = since, .tail = -1
	};

	return log_output_read(&request, false, err);
}
