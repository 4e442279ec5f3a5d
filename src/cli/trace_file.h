/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where --trace FILE goes. */
#ifndef TARE_CLI_TRACE_FILE_H
#define TARE_CLI_TRACE_FILE_H

#include "cli/command.h"
#include "runtime/container.h"

/* trace_open() - the stream of --trace, NULL in @ret->stream without that option. Return: 0; -errno */
int trace_open(const char *path, struct trace_options *ret, struct err *err) MUST_CHECK;

/*
 * trace_end() - close it unless it is standard error
 *
 * The error that ends a command is the command's own; one of the trace alone comes second, so it is a warning.
 */
void trace_end(struct cli *cli, const char *path, struct trace_options *trace);

#endif
