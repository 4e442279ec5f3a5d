/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/err.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Our own words for the errnos that containers meet; see err.h for why strerror() is not used for these. */
static const struct {
	int code;
	const char *text;
} errno_texts[] = {
	{ EPERM, "not permitted (EPERM)" },
	{ EACCES, "access denied (EACCES)" },
	{ ENOENT, "not there (ENOENT)" },
	{ ESRCH, "the process is gone (ESRCH)" },
	{ EEXIST, "already there (EEXIST)" },
	{ EINVAL, "refused as invalid (EINVAL)" },
	{ EBUSY, "busy (EBUSY)" },
	{ ENOMEM, "out of memory (ENOMEM)" },
	{ ENOSPC, "no space or no room left (ENOSPC)" },
	{ EROFS, "read-only filesystem (EROFS)" },
	{ ENODEV, "no such device or filesystem type (ENODEV)" },
	{ ENOTDIR, "not a directory (ENOTDIR)" },
	{ EISDIR, "is a directory (EISDIR)" },
	{ ENOSYS, "not in this kernel (ENOSYS)" },
	{ EOPNOTSUPP, "not supported (EOPNOTSUPP)" },
	{ ELOOP, "too many symbolic links, or one where none may be (ELOOP)" },
	{ EXDEV, "leads out of where it must stay (EXDEV)" },
	{ EPIPE, "the other side is gone (EPIPE)" },
	{ ETIMEDOUT, "timed out (ETIMEDOUT)" },
};

const char *errno_text(int code, char *buf, size_t size)
{
	const char *desc, *name;

	code = code < 0 ? -code : code;
	for (size_t i = 0; i < ARRAY_LEN(errno_texts); i++) {
		if (errno_texts[i].code == code)
			return errno_texts[i].text;
	}

	desc = strerrordesc_np(code);
	name = strerrorname_np(code);
	if (!desc || !name) {
		snprintf(buf, size, "error %d", code);
		return buf;
	}
	snprintf(buf, size, "%s (%s)", desc, name);
	buf[0] = (char)tolower((unsigned char)buf[0]);
	return buf;
}

static int fill(struct err *err, int kind, int code, bool with_errno, const char *fmt, va_list ap)
{
	char number[96];
	size_t len;

	*err = ERR_INIT;
	err->kind = kind;
	err->code = code;
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	if (with_errno) {
		len = strlen(err->text);
		snprintf(err->text + len, sizeof(err->text) - len, ": %s",
			 errno_text(code, number, sizeof(number)));
	}
	return code;
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(err, ERR_SYSTEM, code, true, fmt, ap);
	va_end(ap);
	return code;
}

int err_sys(struct err *err, const char *fmt, ...)
{
	int code = errno ? -errno : -EPROTO;
	va_list ap;

	va_start(ap, fmt);
	fill(err, ERR_SYSTEM, code, true, fmt, ap);
	va_end(ap);
	return code;
}

int err_user(struct err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(err, ERR_USER, -EINVAL, false, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int err_user_code(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(err, ERR_USER, code, false, fmt, ap);
	va_end(ap);
	return code;
}

int err_bug(struct err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(err, ERR_BUG, -EPROTO, false, fmt, ap);
	va_end(ap);
	err_hint(err, "this is a fault of tare's; please report it");
	return -EPROTO;
}

int err_context(struct err *err, const char *fmt, ...)
{
	char front[ERR_TEXT_MAX];
	size_t len, rest;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(front, sizeof(front) - 2, fmt, ap);
	va_end(ap);
	strcat(front, ": ");

	/* What is too long loses the end of the chain, never its head: the head says which container. */
	len = strlen(front);
	rest = strlen(err->text) + 1;
	if (rest > sizeof(err->text) - len)
		rest = sizeof(err->text) - len;
	memmove(err->text + len, err->text, rest);
	memcpy(err->text, front, len);
	err->text[sizeof(err->text) - 1] = '\0';
	return err->code;
}

int err_at(struct err *err, const char *pointer)
{
	if (pointer && !err->pointer[0])
		snprintf(err->pointer, sizeof(err->pointer), "%s", pointer);
	return err->code;
}

int err_in(struct err *err, const char *document)
{
	snprintf(err->document, sizeof(err->document), "%s", document);
	return err->code;
}

int err_hint(struct err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
	return err->code;
}

void err_render(const struct err *err, char *buf, size_t size)
{
	const char *document = err->document[0] ? err->document : "config.json";

	if (err->pointer[0] && err->line)
		snprintf(buf, size, "%s (%s %s, line %u)", err->text, document, err->pointer,
			 err->line);
	else if (err->pointer[0])
		snprintf(buf, size, "%s (%s %s)", err->text, document, err->pointer);
	else
		snprintf(buf, size, "%s", err->text);
}
