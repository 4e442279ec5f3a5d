/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/monitor/json_log.h"

/* ---- files --------------------------------------------------------------------------------------------------------- */

static void open_file(struct json_log *log)
{
	off_t size;

	log->fd =
		call_openat(log->dir, log->name, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0640);
	if (log->fd < 0) {
		log->reason = log->fd;
		return;
	}
	size = call_seek_end(log->fd);
	log->size = log->boundary = size > 0 ? (uint64_t)size : 0;
}

/* NAME.@number; NAME itself is number 0 */
static const char *file_name(const struct json_log *log, unsigned number, char *buf)
{
	char *end = text_add(buf, log->name);

	if (number) {
		*end++ = '.';
		text_add_u64(end, number, 0);
	}
	return buf;
}

static void rotate(struct json_log *log)
{
	char from[LOG_NAME_MAX + 16], to[LOG_NAME_MAX + 16];

	call_close(log->fd);
	for (unsigned i = log->max_files - 1; i > 0; i--)
		(void)call_renameat(log->dir, file_name(log, i - 1, from), file_name(log, i, to));
	if (log->max_files == 1)
		(void)call_unlinkat(log->dir, log->name);
	open_file(log);
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

/* What is behind the last whole entry goes, and is counted. */
static void give_up(struct json_log *log, int reason)
{
	log->dropped += log->pending;
	log->untold += log->pending;
	log->pending = 0;
	log->reason = reason;
	log->failed = true;
	log->n = 0;
	if (log->fd < 0 || log->size == log->boundary)
		return;
	if (call_ftruncate(log->fd, (off_t)log->boundary) < 0)
		log->torn = true;
	else
		log->size = log->boundary;
}

static void flush(struct json_log *log)
{
	size_t done = 0;

	while (done < log->n) {
		ssize_t n = call_write(log->fd, log->out + done, log->n - done);

		if (n == -EINTR)
			continue;
		if (n <= 0) {
			give_up(log, n < 0 ? (int)n : -EIO);
			return;
		}
		done += (size_t)n;
		log->size += (size_t)n;
	}
	log->n = 0;
}

/* Between two entries */
static void flush_whole(struct json_log *log)
{
	flush(log);
	log->boundary = log->size;
	log->pending = 0;
}

static void put(struct json_log *log, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (log->n == sizeof(log->out))
			flush(log);
		if (log->failed)
			return;
		log->out[log->n++] = bytes[i];
	}
}

static void put_text(struct json_log *log, const char *text)
{
	put(log, text, text_len(text));
}

/* ---- entries ------------------------------------------------------------------------------------------------------- */

/* The length of the well-formed UTF-8 that @s begins with; 0: none. RFC 3629: no overlong form, no surrogate */
static size_t utf8_len(const unsigned char *s, size_t n)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (s[0] > 0xf4 || len > n)
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < len; i++) {
		if (s[i] < low || s[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return len;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

static void put_escaped_byte(struct json_log *log, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	char text[] = { '\\', 'u', '0', '0', digits[c >> 4], digits[c & 15] };

	if (c == '"' || c == '\\')
		text[1] = (char)c;
	else if (c == '\n')
		text[1] = 'n';
	else if (c == '\r')
		text[1] = 'r';
	put(log, text, text[1] == 'u' ? 6 : 2);
}

/* As docker escapes: what HTML or JavaScript would take for its own, too; what is no UTF-8 becomes U+FFFD. */
static void put_string(struct json_log *log, const char *bytes, size_t n)
{
	const unsigned char *s = (const unsigned char *)bytes;

	for (size_t i = 0, len; i < n; i += len) {
		for (len = 0; i + len < n && is_plain(s[i + len]);)
			len++;
		if (len) {
			put(log, bytes + i, len);
			continue;
		}
		len = utf8_len(s + i, n - i);
		if (len == 1)
			put_escaped_byte(log, s[i]);
		else if (len == 0)
			put_text(log, "\\ufffd");
		else if (len == 3 && s[i] == 0xe2 && s[i + 1] == 0x80 && (s[i + 2] | 1) == 0xa9)
			put_text(log, s[i + 2] == 0xa8 ? "\\u2028" : "\\u2029");
		else
			put(log, bytes + i, len);
		len += len == 0;
	}
}

static void put_entry(struct json_log *log, const char *stream, const char *bytes, size_t n,
		      bool whole, const struct timespec *when)
{
	char time[TEXT_TIME_MAX];

	text_add_time(time, when, true);
	if (log->torn)
		put_text(log, "\n");
	put_text(log, "{\"log\":\"");
	put_string(log, bytes, n);
	put_text(log, whole ? "\\n\",\"stream\":\"" : "\",\"stream\":\"");
	put_text(log, stream);
	put_text(log, "\",\"time\":\"");
	put_text(log, time);
	put_text(log, "\"}\n");
}

static const char *reason_text(int code)
{
	switch (code) {
	case -ENOSPC:
		return "no space left on the device (ENOSPC)";
	case -EDQUOT:
		return "quota exceeded (EDQUOT)";
	case -EFBIG:
		return "file too large (EFBIG)";
	case -EIO:
		return "input/output error (EIO)";
	case -EROFS:
		return "read-only filesystem (EROFS)";
	case -ENOENT:
		return "the container's directory is gone (ENOENT)";
	default:
		return "the log could not be written";
	}
}

/* Until it is in the file, what it tells is untold. */
static void tell_dropped(struct json_log *log, const struct timespec *when)
{
	char text[160];
	char *end = text_add(text, "tare: ");
	uint64_t untold = log->untold;

	end = text_add_u64(end, untold, 0);
	end = text_add(end, " bytes of output are missing here: ");
	end = text_add(end, reason_text(log->reason));
	put_entry(log, "stderr", text, (size_t)(end - text), true, when);
	if (!log->failed)
		flush_whole(log);
	if (!log->failed) {
		log->untold -= untold;
		log->torn = false;
	}
}

static void log_entry(struct json_log *log, const char *stream, const char *bytes, size_t n,
		      bool whole, const struct timespec *when)
{
	if (log->off)
		return;
	if (log->fd >= 0 && log->max_size && log->size + log->n >= log->max_size) {
		log->failed = false;
		flush_whole(log);
		rotate(log);
	}
	if (log->fd < 0)
		open_file(log);
	log->failed = log->fd < 0;
	if (!log->failed && log->untold)
		tell_dropped(log, when);
	log->pending += n + whole;
	if (log->failed)
		give_up(log, log->reason);
	else
		put_entry(log, stream, bytes, n, whole, when);
}

/* ---- lines --------------------------------------------------------------------------------------------------------- */

/* How much of a full buffer to log, so that no character is cut in two */
static size_t cut(const struct log_stream *s)
{
	size_t back = 1;

	while (back < 4 && ((unsigned char)s->buf[s->n - back] & 0xc0) == 0x80)
		back++;
	if (((unsigned char)s->buf[s->n - back] & 0xc0) == 0xc0 &&
	    utf8_len((const unsigned char *)s->buf + s->n - back, back) == 0)
		return s->n - back;
	return s->n;
}

static void log_lines(struct json_log *log, struct log_stream *s, const struct timespec *now,
		      bool ended)
{
	size_t begin = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->buf[i] != '\n')
			continue;
		log_entry(log, s->name, s->buf + begin, i - begin, true, &s->began);
		s->partial = false;
		s->began = *now;
		begin = i + 1;
	}
	if (begin < s->n && (ended || (begin == 0 && s->n == sizeof(s->buf)))) {
		size_t n = ended ? s->n : cut(s);

		log_entry(log, s->name, s->buf + begin, n - begin, false, &s->began);
		s->partial = true;
		begin = n;
	}
	if (begin)
		memmove(s->buf, s->buf + begin, s->n - begin);
	s->n -= begin;
}

static void take_in(struct json_log *log, struct log_stream *s, size_t n, bool ended)
{
	struct timespec now = call_now(CLOCK_REALTIME);

	if (s->n == 0 && !s->partial)
		s->began = now;
	s->n += n;
	log_lines(log, s, &now, ended);
	if (log->off || log->fd < 0 || !log->n)
		return;
	log->failed = false;
	flush_whole(log);
}

ssize_t log_read(struct json_log *log, struct log_stream *s)
{
	ssize_t n = call_read(s->fd, s->buf + s->n, sizeof(s->buf) - s->n);

	if (n == -EINTR)
		return -EAGAIN;
	/* A terminal whose other side is gone says EIO. */
	if (n < 0 && n != -EIO)
		return n;
	take_in(log, s, n > 0 ? (size_t)n : 0, n <= 0);
	return n > 0 ? n : 0;
}

void log_end(struct json_log *log, struct log_stream *s)
{
	take_in(log, s, 0, true);
}
