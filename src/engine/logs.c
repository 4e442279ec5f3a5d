/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/logs.h"

#include "base/ascii.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"
#include "engine/containers_internal.h"
#include "engine/control.h"
#include "engine/log_choice.h"
#include "os/process.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

/* An entry of 16 KiB of which each byte is written as six, and what stands around it; longer ones are not ours. */
#define ENTRY_MAX_BYTES ((size_t)128 * 1024)
#define TAIL_BLOCK      ((size_t)64 * 1024)
#define NAME_BYTES      96
/* What is renamed while we look is looked at again. */
#define OPEN_TRIES 100
/* It has ended, and its watcher has yet to say so */
#define LOOK_MS   50
#define LET_GO_MS 10000

struct reading {
	const struct logs_request *request;
	struct container_record record;
	int dir, changes, pidfd; /* inotify on @dir; of its init; -EBADF */
	int64_t let_go_ms;       /* when to stop waiting for the end to be recorded; 0: it runs */
	uint64_t max_files;
	struct arena arena; /* of one entry */
	int64_t skip;       /* entries of the files to be left out at the beginning */
	size_t n;           /* bytes in @buf that are no whole entry */
	char buf[ENTRY_MAX_BYTES];
};

/* ---- files -------------------------------------------------------------------------------------------------------- */

static int open_file(const struct reading *r, uint64_t number)
{
	char name[NAME_BYTES];
	int fd;

	if (number)
		snprintf(name, sizeof(name), "%s-json.log.%llu", r->record.id,
			 (unsigned long long)number);
	else
		snprintf(name, sizeof(name), "%s-json.log", r->record.id);
	fd = openat(r->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

static uint64_t file_id(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* Return: the oldest one's number, and whether there is any: -ENOENT */
static int64_t oldest(const struct reading *r)
{
	int64_t found = -ENOENT;

	for (uint64_t i = 0; i < r->max_files; i++) {
		defer_close int fd = open_file(r, i);

		if (fd >= 0)
			found = (int64_t)i;
		else if (i > 0)
			break;
	}
	return found;
}

/*
 * The file after @fd, which has become older meanwhile. If it is so old that it is gone, the oldest that there is.
 * Return: it; -ENOENT if @fd is the newest; -errno
 */
static int next_file(const struct reading *r, int fd)
{
	uint64_t self = file_id(fd);

	for (int tries = 0; tries < OPEN_TRIES; tries++) {
		uint64_t newer = 0;
		int64_t number;

		for (uint64_t i = 0; i < r->max_files; i++) {
			defer_close int one = open_file(r, i);
			uint64_t id = file_id(one);

			if (id && id == self && i == 0)
				return -ENOENT;
			if (id && id == self)
				newer = i;
		}
		number = newer ? (int64_t)newer - 1 : oldest(r);
		if (number < 0)
			return -ENOENT;
		{
			defer_close int found = open_file(r, (uint64_t)number);
			defer_close int before = open_file(r, (uint64_t)number + 1);

			/* Still in its place? Else it was renamed between the two looks. */
			if (found >= 0 && (!newer || file_id(before) == self))
				return take_fd(&found);
		}
	}
	return -EAGAIN;
}

/* ---- entries ------------------------------------------------------------------------------------------------------ */

/* "…27.1677Z" has "…27.167700000Z" for people and for comparing. Return: @buf; NULL if it is no such time */
static const char *whole_time(const char *text, char *buf)
{
	size_t seconds = strlen("2026-01-31T08:05:09"), digits;

	if (!text || strlen(text) <= seconds)
		return NULL;
	digits = text[seconds] == '.' ? strspn(text + seconds + 1, "0123456789") : 0;
	if (digits > 9 || strcmp(text + seconds + (digits ? digits + 1 : 0), "Z") != 0)
		return NULL;
	snprintf(buf, TIME_RFC3339_MAX, "%.*s.%.*s%sZ", (int)seconds, text, (int)digits,
		 text + seconds + 1, &"000000000"[digits]);
	return buf;
}

/* ---- strings with NUL in them, which base/json.h refuses ------------------------------------------------------------ */

/* Return: the number that four hexadecimal digits are; -1 */
static int hexadecimal(const char *text, const char *end)
{
	int value = 0;

	for (int i = 0; i < 4; i++, text++) {
		int digit = text < end ? ascii_hex_digit(*text) : -1;

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/*
 * Decode the rest of a string in its place, which needs no more room than it has. Neither we nor docker write surrogates.
 * Return: behind its closing quote, and *@ret_end where the decoded text ends; NULL: it is no string
 */
static char *decode(char *text, const char *end, char **ret_end)
{
	static const char letters[] = "nrtbf", meant[] = "\n\r\t\b\f";
	char *to = text;

	for (char *at = text; at < end; at++) {
		const char *letter;
		int c;

		if (*at == '"') {
			*ret_end = to;
			return at + 1;
		}
		if (*at != '\\') {
			*to++ = *at;
			continue;
		}
		if (++at >= end)
			return NULL;
		letter = strchr(letters, *at);
		if (*at == 'u') {
			c = hexadecimal(at + 1, end);
			if (c < 0)
				return NULL;
			to += utf8_encode((uint32_t)c, to);
			at += 4;
		} else {
			*to++ = *at && letter ? meant[letter - letters] : *at;
		}
	}
	return NULL;
}

/* Return: 0; -EINVAL if it is no entry. The line is changed. */
static int read_entry(struct reading *r, char *line, const char *end, struct log_entry *ret,
		      char *time)
{
	static const char begin[] = "{\"log\":\"";
	struct err ignored = ERR_INIT;
	const struct json *root;
	char *text = line + strlen(begin), *text_end = text, *rest;
	const char *stream;

	if ((size_t)(end - line) < strlen(begin) || memcmp(line, begin, strlen(begin)) != 0)
		return -EINVAL;
	rest = decode(text, end, &text_end);
	if (!rest || rest >= end || *rest != ',')
		return -EINVAL;
	/* The others make an object of their own. */
	*rest = '{';
	arena_reset(&r->arena);
	if (json_parse(&r->arena, rest, (size_t)(end - rest), &root, &ignored) < 0)
		return -EINVAL;
	stream = json_string(json_member(root, "stream"));
	*ret = (struct log_entry){
		.text = text,
		.len = (size_t)(text_end - text),
		.is_error = stream && strcmp(stream, "stderr") == 0,
		.time = whole_time(json_string(json_member(root, "time")), time),
	};
	return ret->time ? 0 : -EINVAL;
}

enum { ENTRY_TOO_LATE = 1 };

/* Return: 0; ENTRY_TOO_LATE; -errno. What is no entry is passed over: a power cut can leave anything. */
static int give(struct reading *r, char *line, const char *end, struct err *err)
{
	const struct logs_request *q = r->request;
	char time[TIME_RFC3339_MAX];
	struct log_entry entry;

	if (read_entry(r, line, end, &entry, time) < 0 ||
	    (q->since && strcmp(entry.time, q->since) < 0))
		return 0;
	if (q->until && strcmp(entry.time, q->until) >= 0)
		return ENTRY_TOO_LATE;
	return q->entry(q->to, &entry, err);
}

/* The whole entries in the buffer; what is left of it stays. */
static int give_buffered(struct reading *r, struct err *err)
{
	char *begin = r->buf, *end = r->buf + r->n, *newline;
	int result = 0;

	while (result == 0 && (newline = memchr(begin, '\n', (size_t)(end - begin)))) {
		if (r->skip > 0)
			r->skip--;
		else
			result = give(r, begin, newline, err);
		begin = newline + 1;
	}
	r->n = (size_t)(end - begin);
	if (r->n == sizeof(r->buf))
		r->n = 0;
	memmove(r->buf, begin, r->n);
	return result;
}

/* Up to the end that it has now */
static int read_file(struct reading *r, int fd, struct err *err)
{
	for (;;) {
		ssize_t n = read(fd, r->buf + r->n, sizeof(r->buf) - r->n);
		int result;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "read the log");
		if (n == 0)
			return 0;
		r->n += (size_t)n;
		result = give_buffered(r, err);
		if (result != 0)
			return result;
	}
}

/* ---- the last ones ------------------------------------------------------------------------------------------------ */

static int64_t count_entries(int fd)
{
	static char block[TAIL_BLOCK];
	int64_t count = 0;
	ssize_t n;
	off_t at = 0;

	while ((n = pread(fd, block, sizeof(block), at)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			count += block[i] == '\n';
		at += n;
	}
	return count;
}

/* Which file to begin with, and how many of its entries to leave out. Return: its number; -ENOENT */
static int64_t first_file(struct reading *r)
{
	int64_t last = oldest(r), wanted = r->request->tail;

	if (wanted < 0 || last < 0)
		return last;
	for (int64_t i = 0; i <= last; i++) {
		defer_close int fd = open_file(r, (uint64_t)i);
		int64_t here = fd >= 0 ? count_entries(fd) : 0;

		if (here >= wanted || i == last) {
			r->skip = here > wanted ? here - wanted : 0;
			return i;
		}
		wanted -= here;
	}
	return last;
}

/* ---- following ---------------------------------------------------------------------------------------------------- */

/* Has its end been recorded, or is there nobody who could? */
static bool is_recorded(struct reading *r)
{
	defer_container_dir struct container_dir dir = CONTAINER_DIR_INIT;
	defer_arena struct arena arena = { 0 };
	struct container_record record;
	struct err ignored = ERR_INIT;
	int result = containers_load(&arena, r->request->roots, r->record.id, &record, &ignored);

	if (result < 0)
		return true;
	r->record.log_dropped = record.log_dropped;
	return record.finished ||
	       containers_lock(&arena, r->request->roots, r->record.id, &dir, &ignored) != -EBUSY;
}

static bool is_over(struct reading *r)
{
	if (!r->request->follow)
		return true;
	if (r->pidfd >= 0 && os_pidfd_ended(r->pidfd, 0) == 0)
		return false;
	if (!r->let_go_ms)
		r->let_go_ms = clock_ms() + LET_GO_MS;
	return is_recorded(r) || clock_ms() > r->let_go_ms;
}

/* Until something in its directory changes, or it ends */
static void wait_for_change(const struct reading *r)
{
	char events[4096];
	struct pollfd fds[] = { { .fd = r->changes, .events = POLLIN },
				{ .fd = r->pidfd, .events = POLLIN } };

	/* Once it has ended its pidfd would wake us for ever. */
	(void)poll(fds, r->let_go_ms ? 1 : 2, r->let_go_ms ? LOOK_MS : -1);
	while (read(r->changes, events, sizeof(events)) > 0)
		;
}

static int watch_directory(struct reading *r, struct err *err)
{
	char path[64];

	if (!r->request->follow)
		return 0;
	r->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", r->dir);
	if (r->changes < 0 ||
	    inotify_add_watch(r->changes, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
		return err_sys(err, "watch the log");
	(void)control_runs(r->request->roots, r->record.id, &r->pidfd);
	return 0;
}

/* Whatever was written before it was over is read after that was seen. */
static int read_all(struct reading *r, struct err *err)
{
	int64_t first = first_file(r);
	defer_close int fd = first >= 0 ? open_file(r, (uint64_t)first) : -EBADF;

	for (;;) {
		bool over = is_over(r);
		int next = fd < 0 ? open_file(r, 0) : -ENOENT, result = 0;

		if (fd >= 0)
			result = read_file(r, fd, err);
		if (result == 0 && fd >= 0) {
			next = next_file(r, fd);
			/* Between our end of it and its new name there may have been more. */
			if (next >= 0)
				result = read_file(r, fd, err);
		}
		if (result != 0) {
			defer_close_fn(&next);
			return result < 0 ? result : 0;
		}
		if (next >= 0) {
			defer_close_fn(&fd);
			fd = next;
			r->n = 0;
			continue;
		}
		if (over)
			return 0;
		wait_for_change(r);
	}
}

/* ---- all of it ---------------------------------------------------------------------------------------------------- */

static int check(const struct reading *r, struct err *err)
{
	const char *driver = r->record.log.driver;

	if (!driver) {
		err_user(err, "container %.12s was run in the foreground: what it wrote went there",
			 r->record.id);
		return err_hint(err, "tare run --detach keeps a log");
	}
	if (strcmp(driver, LOG_DRIVER_NONE) != 0)
		return 0;
	return err_user(err, "container %.12s has no log: it was run with --log-driver none",
			r->record.id);
}

static int open_directory(struct reading *r, const struct logs_request *request, struct err *err)
{
	defer_close int containers = containers_open(request->roots, err);

	if (containers < 0)
		return containers;
	r->dir = openat(containers, request->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return r->dir < 0 ? err_sys(err, "open container %.12s", request->id) : 0;
}

int logs_read(const struct logs_request *request, uint64_t *ret_dropped, struct err *err)
{
	/* Not on the stack, for its size; one command reads one log. */
	static struct reading r;
	defer_arena struct arena arena = { 0 };
	int result;

	r = (struct reading){
		.request = request, .dir = -EBADF, .changes = -EBADF, .pidfd = -EBADF
	};
	result = containers_load(&arena, request->roots, request->id, &r.record, err);
	if (result == 0)
		result = check(&r, err);
	if (result == 0)
		result = open_directory(&r, request, err);
	r.max_files = r.record.log.max_files;
	if (result == 0)
		result = watch_directory(&r, err);
	if (result == 0)
		result = read_all(&r, err);
	*ret_dropped = r.record.log_dropped;
	defer_close_fn(&r.dir);
	defer_close_fn(&r.changes);
	defer_close_fn(&r.pidfd);
	arena_clear(&r.arena);
	return result;
}
