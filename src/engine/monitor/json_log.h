/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of a container: docker's json-file, byte for byte. One line an entry:
 *
 *     {"log":"what it wrote\n","stream":"stdout","time":"2026-01-31T08:05:09.012345678Z"}
 *
 * An entry is a line. One of more than LOG_LINE_MAX bytes becomes several entries, of which only the last has the newline, as
 * is what the container wrote behind its last newline; all have the time of the first byte. A line that comes in several
 * reads is one entry.
 *
 * Nothing here waits for anybody but the disk, and nothing is given up: what can't be written is dropped and counted, and the
 * first entry that can be written again says how much was lost and why. The file never keeps half an entry.
 *
 * Spec: docker's json-file logging driver, as its files are
 */
#ifndef TARE_ENGINE_MONITOR_JSON_LOG_H
#define TARE_ENGINE_MONITOR_JSON_LOG_H

#include "engine/monitor/call.h"

#define LOG_LINE_MAX ((size_t)16 * 1024)
#define LOG_NAME_MAX 96

/* What one of its streams has written and what is not in the log yet */
struct log_stream {
	const char *name;      /* "stdout" */
	int fd;                /* to read from, non-blocking; -EBADF: ended */
	size_t n;              /* bytes in @buf */
	bool partial;          /* what is in @buf goes on with a line that is in the log already */
	struct timespec began; /* when the first byte of that line came */
	char buf[LOG_LINE_MAX];
};

struct json_log {
	int dir;                 /* where it is */
	char name[LOG_NAME_MAX]; /* of the newest file; older ones have .1, .2 behind it */
	bool off;                /* nothing is logged */
	int fd;                  /* -EBADF: not open */
	uint64_t max_size;       /* of a file, bytes; it gets one entry more than that. 0: any */
	unsigned max_files;
	uint64_t size;     /* of the file */
	uint64_t boundary; /* up to where it has whole entries */
	uint64_t pending;  /* bytes of the container's that stand behind that, or in @out */
	uint64_t dropped;  /* all that was */
	uint64_t untold;   /* of these, what the log doesn't say yet */
	int reason;        /* -errno of the last one */
	bool failed;       /* the rest of this entry is not wanted */
	bool torn;         /* the file ends in the middle of an entry after all */
	size_t n;          /* bytes in @out */
	char out[LOG_LINE_MAX];
};

/*
 * log_read() - take what the stream has, and log what is whole of it
 * Return: bytes; 0 at its end, and its rest is logged; -EAGAIN; -errno
 */
ssize_t log_read(struct json_log *log, struct log_stream *stream);

/* log_end() - nothing more will come: log what is left of a line */
void log_end(struct json_log *log, struct log_stream *stream);

#endif
