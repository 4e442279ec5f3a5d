/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --format: Go templates, as users of docker write them, over a JSON document.
 *
 *     {{.Name}} {{.Config.Labels}} {{index .Config.Env 0}} {{range .A}}...{{else}}...{{end}} {{if and .A (eq .B "x")}}...{{end}}
 *     {{with .A}}...{{end}} {{$x := .A}} {{json .}} {{join .A ","}} {{.A | upper | printf "%-10s"}} {{- trimmed -}}
 *
 * Functions: and or not eq ne lt le gt ge, index slice len, print printf println, json join split upper lower title pad truncate.
 * A member that is not there is an error where it would be printed, since it is a misspelt name, and false where it is asked for:
 * optional members are looked for that way. An index that a map doesn't have is the empty text, as of docker's maps.
 *
 * Text from the document comes out as it is; who prints it to a terminal escapes it.
 *
 * Spec: the Go library's text/template
 */
#ifndef TARE_CLI_FORMAT_H
#define TARE_CLI_FORMAT_H

#include "base/json.h"

/* How deep actions and parentheses may be in each other, and what a template may make. */
#define FORMAT_DEPTH_MAX  64
#define FORMAT_OUTPUT_MAX ((size_t)16 * 1024 * 1024)
/* Loops in each other over a large document would not end in anybody's life. */
#define FORMAT_STEPS_MAX 1000000

struct format;

/* format_parse() - @text is borrowed as long as @ret is used. Return: 0; -EINVAL, with where it is wrong */
int format_parse(struct arena *arena, const char *text, const struct format **ret,
		 struct err *err) MUST_CHECK;

/*
 * format_apply() - what it makes of @data
 * @ret: in @arena
 *
 * Return: 0; -EINVAL if it asks for what is not there, or for something of another type
 */
int format_apply(const struct format *format, struct arena *arena, const struct json *data,
		 char **ret, size_t *ret_len, struct err *err) MUST_CHECK;

#endif
