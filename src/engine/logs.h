/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a container wrote in the background, read back out of its log files (monitor/json_log.h), across rotations, while it runs
 * and afterwards. No lock is needed: files only grow, or get another name.
 */
#ifndef TARE_ENGINE_LOGS_H
#define TARE_ENGINE_LOGS_H

#include "engine/containers.h"

struct log_entry {
	const char *text; /* a line with its newline, or a part of one */
	size_t len;
	bool is_error; /* it wrote it to standard error */
	const char *
		time; /* RFC 3339 with nine digits of a second, UTC; TIME_RFC3339_MAX bytes at most */
};

struct logs_request {
	const struct roots *roots;
	const char *id;
	bool follow; /* until it ends, too */
	const char *since,
		*until; /* in the form of log_entry's time: from then on, before then; NULL */
	int64_t tail;   /* so many entries of what is there; -1: all */
	/* gets each entry; the first result below 0 ends it */
	int (*entry)(void *to, const struct log_entry *entry, struct err *err);
	void *to;
};

/*
 * logs_read() - give all entries to @request->entry, the oldest first
 * @ret_dropped: bytes of output that could not be logged, as far as it is recorded
 *
 * Return: 0; -ENOENT if there is no such container; -EINVAL if it has no log, and why; -errno
 */
int logs_read(const struct logs_request *request, uint64_t *ret_dropped,
	      struct err *err) MUST_CHECK;

#endif
