/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one error object of the product.
 *
 * An error is filled where it happens and gains context on its way up: "create \"web\": mount \"proc\" on \"/proc\":
 * not permitted (EPERM)" is three places in one text, outermost first. It has a fixed size and no pointers, so it
 * crosses a fork in a shared page and a socket in one write. Nothing here allocates: the container's child uses it
 * between clone and exec.
 *
 * Texts are lower case, start with a verb, quote names, and have no full stop. The words that callers look for
 * ("permission denied", "operation not permitted", "no such file or directory", "no such process", "does not
 * exist") never come from an errno: podman and containerd would take them for something else. Only the place that
 * means them writes them.
 */
#ifndef TARE_BASE_ERR_H
#define TARE_BASE_ERR_H

#include "base/defer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum err_kind {
	ERR_NONE,
	/* the caller's input: config.json, options, a state that forbids the operation */
	ERR_USER,
	ERR_SYSTEM, /* the kernel or the host said no */
	ERR_BUG,    /* tare's own fault */
};

#define ERR_TEXT_MAX    1024
#define ERR_HINT_MAX    320
#define ERR_POINTER_MAX 192
/* "manifest sha256:..." */
#define ERR_DOCUMENT_MAX 96
#define ERR_STEP_MAX     32
/* Room for any err_render(), NUL included */
#define ERR_RENDER_MAX (ERR_TEXT_MAX + ERR_POINTER_MAX + ERR_DOCUMENT_MAX + 64)

struct err {
	int32_t code;                 /* -errno; 0 while there is no error */
	int32_t kind;                 /* enum err_kind */
	int32_t step;                 /* index into the plan, -1 if it was in no step */
	uint32_t line;                /* line in the document, 0 if unknown */
	char step_name[ERR_STEP_MAX]; /* e.g. "mask-path"; empty if in no step */
	/* JSON pointer into the document; empty if from nowhere in one */
	char pointer[ERR_POINTER_MAX];
	char document[ERR_DOCUMENT_MAX]; /* what people call it; empty: config.json */
	/* the chain, outermost first; cut at the end when too long */
	char text[ERR_TEXT_MAX];
	char hint[ERR_HINT_MAX]; /* what to do about it; empty if we do not know */
};

/* ERR_INIT - an err without an error in it */
#define ERR_INIT ((struct err){ .step = -1 })

/*
 * err_set() - report that the kernel or the host refused something
 * @err:  filled; an error that is already there is replaced
 * @code: -errno, must be < 0
 * @fmt:  what was tried; the errno's short text is appended
 *
 * Return: @code
 */
int err_set(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* err_sys() - err_set() with the current errno */
int err_sys(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * err_user() - report a fault of the caller's; nothing is appended to the text
 * Return: -EINVAL
 */
int err_user(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* err_user_code() - err_user() with a code of its own, e.g. -ENOENT for an unknown id. Return: @code */
int err_user_code(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* err_bug() - report that tare itself is wrong. Return: -EPROTO */
int err_bug(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* err_context() - put "fmt: " before the text. Return: the error's code */
int err_context(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* err_at() - say where in the document it comes from, unless that is known already. Return: the error's code */
int err_at(struct err *err, const char *pointer);

/* err_in() - say which document that is, if it is not config.json. Return: the error's code */
int err_in(struct err *err, const char *document);

/* err_hint() - say what to do about it; replaces an earlier hint. Return: the error's code */
int err_hint(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * err_render() - the whole error as one line for people, without a newline: text, place
 * @buf:  receives at most @size bytes, NUL included
 */
void err_render(const struct err *err, char *buf, size_t size);

/* errno_text() - "not permitted (EPERM)" for -EPERM or EPERM; static storage for known ones, else @buf */
const char *errno_text(int code, char *buf, size_t size);

#endif
