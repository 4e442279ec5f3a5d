/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TOML, as far as the files of containers go, read into the same tree as JSON: so the same decoder (spec/decode.h) says what
 * may be in a file, and where it is wrong.
 *
 * Comments; bare, quoted and dotted keys; tables, arrays of tables, inline tables; all four kinds of strings; arrays;
 * booleans; integers in decimal digits. What none of those files has (times, floating point, other bases) is refused by
 * name. What TOML forbids is refused as well: a key or a table twice, a table that is already closed.
 *
 * No C library in Debian 12 reads TOML.
 *
 * Spec: TOML v1.0.0
 */
#ifndef TARE_REGISTRY_TOML_H
#define TARE_REGISTRY_TOML_H

#include "base/json.h"

/* The largest known, Debian's list of short names, has 20 KiB. */
#define TOML_MAX_BYTES  ((size_t)1024 * 1024)
#define TOML_MAX_VALUES 20000
#define TOML_MAX_DEPTH  16

/*
 * toml_parse() - read a whole document
 * @arena: owns the result
 * @text:  @len bytes, borrowed until the call returns; offsets of the values count from it
 *
 * Return: 0; -EINVAL with the line
 */
int toml_parse(struct arena *arena, const char *text, size_t len, const struct json **ret_root,
	       struct err *err) MUST_CHECK;

#endif
