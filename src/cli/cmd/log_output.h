/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The entries of a log, to the streams that they came from. */
#ifndef TARE_CLI_CMD_LOG_OUTPUT_H
#define TARE_CLI_CMD_LOG_OUTPUT_H

#include "engine/logs.h"

struct log_output {
	bool timestamps;   /* before each line */
	bool line_open[2]; /* of standard output and error: the last entry was no whole line */
};

/* log_output_write() - for logs_request: @to is a struct log_output */
int log_output_write(void *to, const struct log_entry *entry, struct err *err) MUST_CHECK;

/* log_output_read() - @request, whose entry and to are set here, and a line that says what is missing. Return: 0; -errno */
int log_output_read(struct logs_request *request, bool timestamps, struct err *err) MUST_CHECK;

/* log_output_follow() - what a container writes from @since on, until it ends. Return: 0; -errno */
int log_output_follow(const struct roots *roots, const char *id, const char *since,
		      struct err *err) MUST_CHECK;

#endif
