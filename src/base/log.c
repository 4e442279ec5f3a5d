/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"

#include "base/clock.h"
#include "base/json_write.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * The longest text of one record; err_render() and a warning stay below it, and longer ones are
 * cut.
 */
#define RECORD_TEXT_MAX ERR_RENDER_MAX

static const char *const level_names[] = { "error", "warning", "debug" };
static const char *const kind_names[] = { NULL, "user", "system", "bug" };

int log_open(struct log *log, const char *path, struct err *err)
{
	int fd =
		open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644);

	if (fd < 0) {
		err_sys(err, "open log \"%s\"", path);
		if (err->code == -ENXIO)
			err_hint(err, "it is a FIFO that nobody reads");
		return err->code;
	}
	log_close(log);
	log->fd = fd;
	return 0;
}

void log_close(struct log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -EBADF;
}

/* A log that can't be written has nobody to complain to; the command itself goes on. */
static void put(int fd, const char *text, size_t len)
{
	ssize_t n;

	do {
		n = write(fd, text, len);
	} while (n < 0 && errno == EINTR);
}

static void add_err(struct json_writer *w, const struct err *err)
{
	const char *name = strerrorname_np(-err->code);

	if (name)
		json_add_string(w, "code", name);
	if (err->kind > ERR_NONE && (size_t)err->kind < ARRAY_LEN(kind_names))
		json_add_string(w, "kind", kind_names[err->kind]);
	if (err->step_name[0])
		json_add_string(w, "step", err->step_name);
	if (err->pointer[0])
		json_add_string(w, "pointer", err->pointer);
	if (err->line)
		json_add_u64(w, "line", err->line);
	if (err->hint[0])
		json_add_string(w, "hint", err->hint);
}

/*
 * Both forms come out of the JSON writer, whose quoting is also what logrus' text form uses for a
 * message.
 */
static void put_record(int fd, bool json, enum log_level level, const char *text,
		       const struct err *err)
{
	defer_arena struct arena arena = { 0 };
	char now[TIME_RFC3339_MAX], *record;
	struct json_writer w;
	size_t len;

	time_rfc3339_now(now);
	json_writer_init(&w, &arena, 0);
	if (json) {
		json_object_begin(&w, NULL);
		json_add_string(&w, "level", level_names[level]);
		json_add_string(&w, "msg", text);
		json_add_string(&w, "time", now);
		if (err)
			add_err(&w, err);
		json_object_end(&w);
		record = arena_printf(&arena, "%s\n", json_writer_text(&w, NULL));
	} else {
		json_add_string(&w, NULL, text);
		record = arena_printf(&arena, "time=\"%s\" level=%s msg=%s\n", now,
				      level_names[level], json_writer_text(&w, NULL));
	}
	len = strlen(record);
	put(fd, record, len);
}

/* One write, so that two programs on one terminal do not mix their lines. */
static void put_for_people(const struct log *log, const char *label, const char *text,
			   const char *hint)
{
	char line[RECORD_TEXT_MAX + ERR_HINT_MAX + 64];
	int len;

	len = snprintf(line, sizeof(line), "%s: %s%s\n%s%s%s", log->program, label, text,
		       hint[0] ? "hint: " : "", hint, hint[0] ? "\n" : "");
	if (len > 0)
		put(STDERR_FILENO, line,
		    (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1);
}

void log_write(struct log *log, enum log_level level, const char *fmt, ...)
{
	char text[RECORD_TEXT_MAX], label[16];
	va_list ap;

	if (level > log->level)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	if (log->fd >= 0) {
		put_record(log->fd, log->json, level, text, NULL);
	} else if (log->json) {
		put_record(STDERR_FILENO, true, level, text, NULL);
	} else {
		snprintf(label, sizeof(label), "%s: ", level_names[level]);
		put_for_people(log, label, text, "");
	}
}

void log_error(struct log *log, const struct err *err)
{
	char text[RECORD_TEXT_MAX];

	err_render(err, text, sizeof(text));
	if (log->fd >= 0)
		put_record(log->fd, log->json, LOG_LEVEL_ERROR, text, err);
	if (log->fd < 0 && log->json)
		put_record(STDERR_FILENO, true, LOG_LEVEL_ERROR, text, err);
	else
		put_for_people(log, "", text, err->hint);
}
