/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is on disk about a container: record.json, written by whoever has the lock, and end.json, written by the monitor when the
 * container ends (docs/design/030-the-monitor.md). Readers need no lock: both are whole, or not there.
 *
 * record.json has the number of its schema. A reader knows all that there ever were, and refuses newer ones by name; each is
 * kept as a fixture in tests/data/records.
 *
 *     1  has no number: `run` in the foreground, and what it left
 *     2  "schema", "started", "signal", "oomKills", "memoryLimit", "memoryPeak", "log", "logDropped", "tty", "openStdin",
 *        "restart", "restarting", "error"
 */
#ifndef TARE_ENGINE_RECORD_H
#define TARE_ENGINE_RECORD_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "spec/config.h"

#include <stdbool.h>

#define CONTAINER_RECORD "record.json"
#define RECORD_SCHEMA    2

/* The file that the monitor records the end in, and its size: it is that large before it says anything. */
#define CONTAINER_END "end.json"
#define END_BYTES     512

/* What becomes of what it writes when it runs in the background */
struct log_choice {
	const char *driver; /* "json-file", "none"; NULL: it ran in the foreground */
	uint64_t max_size;  /* of a file, bytes; 0: any */
	uint64_t max_files;
};

/* --restart, and what came of it */
struct restart_choice {
	const char *policy; /* "always", "unless-stopped", "on-failure"; NULL: no */
	uint64_t max;       /* on-failure: so often; 0: always */
	uint64_t count;     /* how often it was started again since somebody started it by hand */
	uint64_t failures;  /* of these, how many in a row did not last */
};

/* Strings live in the arena given to the reader, or are borrowed by the writer. */
struct container_record {
	const char *id, *name; /* name NULL: none */
	const char *image;     /* as it was asked for; NULL: a root filesystem without one */
	const char *image_id;  /* digest of its config; NULL */
	const char *command;   /* its program and arguments, for people */
	const char *created;   /* RFC 3339 */
	const char *started;   /* when it was last started; NULL: never, or nobody wrote it down */
	const char *error;     /* of its last start, if that failed; NULL */
	const char *finished;  /* NULL: it has not ended, or nobody saw it */
	int64_t exit_status;   /* once it has finished; -1: nobody saw it */
	uint64_t signal;       /* that ended it; 0: none */
	bool auto_remove;      /* --rm */
	bool terminal;         /* it has one of its own */
	bool open_stdin;       /* in the background what it reads stays open */
	bool restarting;       /* it has ended, and its monitor waits to start it again */
	struct restart_choice restart;
	/* it has ended, and who cleans up after it has not been there yet: end.json says so alone */
	bool unsettled;
	/* Why it ended: how often the kernel ended something in it for want of memory; the limit and the most it used, bytes */
	uint64_t oom_kills, memory_limit, memory_peak;
	uint64_t log_dropped; /* bytes of output that the log doesn't have */
	struct log_choice log;
	/* Of its user namespace: upper/ has the host's ids; size 0: none */
	struct id_map map;
	/* How it was to be run, by the members of an image's "config": Cmd, Env...; NULL: nobody wrote it down */
	const struct json *config;
};

/*
 * container_record_write() - replace record.json in the directory @dir
 * Durable, unless the container is throw-away. Return: 0; -errno
 */
int container_record_write(struct arena *arena, int dir, const struct container_record *record,
			   struct err *err) MUST_CHECK;

/*
 * container_record_load() - record.json of the container @id in @containers, and what end.json says beside it
 * Return: 0; -ENOENT if there is none; -EPROTONOSUPPORT if a newer tare wrote it; -errno
 */
int container_record_load(struct arena *arena, int containers, const char *id,
			  struct container_record *ret, struct err *err) MUST_CHECK;

/* container_end_make() - a new end.json that says nothing yet. Return: a fd to write it by, owned; -errno with @err */
int container_end_make(int dir, struct err *err) MUST_CHECK;

/*
 * container_end_read() - what the open end.json @fd says
 * @ret: finished, exit_status, signal and log_dropped are set
 *
 * Return: 1 if it has been written; 0 if not, or not yet
 */
int container_end_read(struct arena *arena, int fd, struct container_record *ret) MUST_CHECK;

#endif
