/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GVariant's text form, in which annotations give the value of a unit's property: "uint64 5", "'a text'", "true",
 * "['a', 'b']", "@as []", "[('/dev/null', 'rw')]".
 *
 * Read as far as systemd has properties for it: numbers, strings, truth, arrays and tuples of them, with types before a
 * value. Dictionaries, maybes, variants and byte strings are refused.
 *
 * Spec: GLib, "GVariant Text Format"
 */
#ifndef TARE_CGROUP_UNIT_GVARIANT_H
#define TARE_CGROUP_UNIT_GVARIANT_H

#include "base/arena.h"
#include "spec/config.h"

/* Nobody writes a property by hand that has more, or nests deeper. */
#define GVARIANT_WORDS_MAX 1024
#define GVARIANT_DEPTH_MAX 8

struct gvariant {
	const char *signature; /* D-Bus; a number with a point is 'd' */
	struct str_list words; /* as dbus_put() takes them */
	const char *why;       /* what is wrong, for a message */
	size_t at;             /* where */
};

/* gvariant_parse() - Return: 0; -EINVAL, then ret->why and ret->at are set */
int gvariant_parse(struct arena *arena, const char *text, struct gvariant *ret) MUST_CHECK;

#endif
