/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why CRIU failed, from its log. The first error is nearly always the reason, and what follows says how CRIU gave up. The
 * reason names a kind of thing ("Connected TCP socket"); which one it was is told by the lines before it: CRIU says of
 * each file what it is about to look at. A dump that failed has left the process as it was, so that file can still be asked for.
 */
#include "runtime/criu.h"

#include "base/lines.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The end of a log, where the errors are. */
#define LOG_END_BYTES (512 * 1024)

#define REASON_MAX  300
#define REASONS_MAX 3

struct reasons {
	char text[REASONS_MAX][REASON_MAX];
	size_t n;
	int pid, fd; /* what was looked at before the first of them; -1: unknown */
};

/* What a word in CRIU's text means for our caller. */
static const struct {
	const char *word, *hint;
} remedies[] = {
	{ "--tcp-established", "checkpoint and restore with --tcp-established" },
	{ "skip-in-flight", "checkpoint with --tcp-skip-in-flight" },
	{ "in-flight", "checkpoint with --tcp-skip-in-flight" },
	{ "--ext-unix-sk", "checkpoint and restore with --ext-unix-sk" },
	{ "half of stream unix connection", "checkpoint and restore with --ext-unix-sk" },
	{ "--shell-job", "its terminal is not its own: checkpoint and restore with --shell-job" },
	{ "--file-locks", "checkpoint and restore with --file-locks" },
	{ "ink-remap", "checkpoint with --link-remap" },
	{ "ink remap", "checkpoint with --link-remap" },
	{ "has bad size",
	  "a file has changed since the checkpoint; a standard stream must be the same file as then" },
	{ "Can't lookup mount",
	  "the file is not on a mount of the container's; only the standard streams of its first process may be" },
	/* With a user namespace CRIU restores with the rights of the container's root, not with ours. */
	{ ".img: Permission denied",
	  "the container's root must get into the directory of the image: chmod o+x (whoever gets there can read its memory)" },
	{ "on restore: Permission denied",
	  "standard streams must be pipes, or files that the container's root may open" },
	{ "Unable to find image for veth",
	  "give the network namespace by path, or restore with --empty-ns network" },
};

/* "(00.012345)     23: Error (criu/files.c:12): text" has the reason behind the place in the source. */
static const char *reason_of(const char *line)
{
	const char *at = strstr(line, "Error (");

	if (!at)
		return NULL;
	at = strstr(at, "): ");
	return at ? at + 3 : NULL;
}

/* "(00.012345) 23 fdinfo 4: pos: ...", between lines of dashes */
static void note_file(struct reasons *reasons, const char *line)
{
	static const char word[] = " fdinfo ";
	const char *at = strstr(line, ") ");
	char *end, *last;
	long pid, fd;

	if (!at)
		return;
	at += 2;
	if (strncmp(at, "------", 6) == 0)
		reasons->pid = -1;
	pid = strtol(at, &end, 10);
	if (end == at || strncmp(end, word, sizeof(word) - 1) != 0)
		return;
	at = end + sizeof(word) - 1;
	fd = strtol(at, &last, 10);
	if (last != at && *last == ':' && pid > 0 && pid <= INT_MAX && fd >= 0 && fd <= INT_MAX) {
		reasons->pid = (int)pid;
		reasons->fd = (int)fd;
	}
}

static bool take_line(void *arg, const char *line)
{
	struct reasons *reasons = arg;
	const char *reason = reason_of(line);

	if (!reason) {
		if (reasons->n == 0)
			note_file(reasons, line);
		return false;
	}
	/* That it failed is known. */
	if (strstr(reason, " FAILED"))
		return false;
	snprintf(reasons->text[reasons->n++], REASON_MAX, "%.*s", REASON_MAX - 1, reason);
	return reasons->n == REASONS_MAX;
}

static void read_log(const struct criu *criu, struct reasons *reasons)
{
	defer_close int fd = openat(criu->log_dir, criu->log, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return;
	(void)lseek(fd, -LOG_END_BYTES, SEEK_END);
	(void)!lines_each(fd, take_line, reasons);
}

/* Which file it is, if it is still there to be asked for: "fd 5 of process 23 (socket:[4711])" */
static void name_file(const struct criu *criu, const struct reasons *reasons, struct err *err)
{
	char link[64], target[PATH_MAX];
	ssize_t n;

	if (criu->task == 0 || reasons->pid <= 0 || reasons->n == 0)
		return;
	snprintf(link, sizeof(link), "/proc/%d/fd/%d", reasons->pid, reasons->fd);
	n = readlink(link, target, sizeof(target) - 1);
	if (n < 0)
		return;
	err_context(err, "fd %d of process %d (%.*s)", reasons->fd, reasons->pid, (int)n, target);
}

static void give_hint(const struct criu *criu, const struct reasons *reasons, struct err *err)
{
	for (size_t i = 0; i < reasons->n; i++) {
		for (size_t k = 0; k < ARRAY_LEN(remedies); k++) {
			if (strstr(reasons->text[i], remedies[k].word)) {
				err_hint(err, "%s; the log is %s", remedies[k].hint,
					 criu->log_path);
				return;
			}
		}
	}
	err_hint(err, "the log is %s", criu->log_path);
}

int criu_explain(const struct criu *criu, const struct criu_response *response, struct err *err)
{
	struct reasons reasons = { .pid = -1 };
	int code = response->cr_errno > 0 && response->cr_errno < 4096 ? -response->cr_errno
								       : -EREMOTEIO;

	read_log(criu, &reasons);
	if (reasons.n == 0 && response->message[0])
		snprintf(reasons.text[reasons.n++], REASON_MAX, "%.*s", REASON_MAX - 1,
			 response->message);
	if (reasons.n == 0) {
		err_user_code(err, code, "criu has given up without a reason");
	} else {
		err_user_code(err, code, "%s%s%s%s%s", reasons.text[0], reasons.n > 1 ? "; " : "",
			      reasons.text[1], reasons.n > 2 ? "; " : "", reasons.text[2]);
		name_file(criu, &reasons, err);
		err_context(err, "criu");
	}
	err->kind = ERR_SYSTEM;
	give_hint(criu, &reasons, err);
	return err->code;
}
