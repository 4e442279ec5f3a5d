/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of one command: warnings, what was decided on the way, and the error that ended it.
 *
 * Two readers. People read standard error: `tare-oci: create "web": ...` and a line with the hint.
 * Engines read the file of --log: one record a line, in logrus' text form or as JSON
 * ({"level","msg","time"} first, which containerd decodes as a stream of JSON values and looks for
 * the last error in; then code, kind, step, pointer, line and hint for who wants more). An error
 * goes to both, since conmon reads standard error; anything less goes to the file if there is one.
 * Each record is one write to an O_APPEND file, so that writers side by side can't mix theirs.
 *
 * Spec: requirements 2.1, 2.5 contract 4, Z-16
 */
#ifndef TARE_BASE_LOG_H
#define TARE_BASE_LOG_H

#include "base/err.h"

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_DEBUG };

struct log {
	const char *program; /* "tare-oci", before each line on standard error */
	int fd;              /* the file of --log, owned; -EBADF: none */
	bool json;
	enum log_level level; /* what is more detailed than this is dropped */
};

#define LOG_INIT(name) ((struct log){ .program = (name), .fd = -EBADF, .level = LOG_LEVEL_WARNING })

/*
 * log_open() - write to @path from now on, appending
 *
 * A symlink is followed (it is the caller's path); a FIFO is opened without waiting for a reader
 * and never blocks us.
 *
 * Return: 0; -errno with *err, and the log as it was
 */
int log_open(struct log *log, const char *path, struct err *err) MUST_CHECK;

void log_close(struct log *log);

/* log_write() - one record without an error object */
void log_write(struct log *log, enum log_level level, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* log_error() - the error that ends the command, to standard error and to the file */
void log_error(struct log *log, const struct err *err);

#endif
