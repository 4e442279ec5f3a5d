/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/unit_name.h"

#include <ctype.h>
#include <string.h>

#define POINTER   "/linux/cgroupsPath"
#define SLICE     ".slice"
#define SLICE_LEN (sizeof(SLICE) - 1)

static int refuse(struct err *err, const char *hint)
{
	err_at(err, POINTER);
	return err_hint(err, "%s", hint);
}

static bool ends_in_slice(const char *name)
{
	size_t len = strlen(name);

	return len > SLICE_LEN && strcmp(name + len - SLICE_LEN, SLICE) == 0;
}

/* Bytes that a unit's name may not have are written \xNN there. */
static const char *escape(struct arena *arena, const char *text)
{
	static const char digits[] = "0123456789abcdef";
	char *out = arena_alloc(arena, strlen(text) * 4 + 1), *at = out;

	for (const char *c = text; *c; c++) {
		if (isalnum((unsigned char)*c) || strchr("_.-:\\", *c) || *c == '@') {
			*at++ = *c;
			continue;
		}
		*at++ = '\\';
		*at++ = 'x';
		*at++ = digits[(unsigned char)*c >> 4];
		*at++ = digits[*c & 15];
	}
	return out;
}

static bool is_unit_text(const char *name)
{
	for (; *name; name++) {
		if (!isalnum((unsigned char)*name) && !strchr("_.-:\\@", *name))
			return false;
	}
	return true;
}

/*
 * "a-b-c.slice": each dash ends the name of one more parent.
 * Return: "/a.slice/a-b.slice/a-b-c.slice", "" for the root slice; NULL if it can't be a slice's name
 */
static const char *expand(struct arena *arena, const char *slice)
{
	size_t stem = ends_in_slice(slice) ? strlen(slice) - SLICE_LEN : 0;
	const char *path = "";

	if (strcmp(slice, "-.slice") == 0)
		return "";
	if (!stem || strlen(slice) > UNIT_NAME_LEN_MAX || !is_unit_text(slice))
		return NULL;
	for (size_t i = 0; i <= stem; i++) {
		if (i < stem && slice[i] != '-')
			continue;
		if (i == 0 || slice[i - 1] == '-')
			return NULL;
		path = arena_printf(arena, "%s/%.*s" SLICE, path, (int)i, slice);
	}
	return path;
}

/* Cut at colons. Return: how many parts there are, of which the first three are in @parts */
static size_t split(struct arena *arena, const char *text, const char *parts[3])
{
	size_t n = 0, len;

	for (;; text += len + 1) {
		len = strcspn(text, ":");
		if (n < 3)
			parts[n] = arena_strndup(arena, text, len);
		n++;
		if (!text[len])
			return n;
	}
}

static int refuse_slice(const char *slice, struct err *err)
{
	err_user(err, "use slice \"%s\": that is no slice's name", slice);
	return refuse(err, "it ends in \".slice\", and its dashes part names: \"machine.slice\" or "
			   "\"a-b.slice\"");
}

int unit_name_parse(struct arena *arena, const char *cgroups_path, const char *id, bool user,
		    struct unit_name *ret, struct err *err)
{
	const char *parts[3] = { "", "tare", escape(arena, id) }, *parent;

	if (cgroups_path && *cgroups_path && split(arena, cgroups_path, parts) != 3) {
		/* runc's words, which are known. */
		err_user(err,
			 "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd "
			 "cgroups, got \"%s\" instead",
			 cgroups_path);
		return refuse(err, "e.g. \"system.slice:tare:web\"; a path is for cgroups made by "
				   "file, without --systemd-cgroup");
	}
	ret->slice = *parts[0] ? parts[0] : user ? "user.slice" : "system.slice";
	parent = expand(arena, ret->slice);
	if (!parent)
		return refuse_slice(ret->slice, err);

	ret->is_slice = ends_in_slice(parts[2]);
	if (ret->is_slice) {
		/* Where a slice is follows from its name alone. */
		ret->unit = parts[2];
		ret->path = expand(arena, ret->unit);
		return ret->path && *ret->path ? 0 : refuse_slice(ret->unit, err);
	}
	ret->unit = arena_printf(arena, "%s%s%s.scope", parts[1], *parts[1] ? "-" : "", parts[2]);
	if (!*parts[2] || !is_unit_text(ret->unit) || strlen(ret->unit) > UNIT_NAME_LEN_MAX) {
		err_user(err, "use unit \"%s\": systemd allows no such name", ret->unit);
		return refuse(err, "at most 255 of letters, digits and : - _ . \\ @");
	}
	ret->path = arena_printf(arena, "%s/%s", parent, ret->unit);
	return 0;
}

const char *unit_manager_path(struct arena *arena, const char *own_path, bool user, unsigned uid)
{
	const char *at = own_path, *found = NULL;

	if (!user)
		return "";
	while ((at = strstr(at, "/user@"))) {
		const char *end = at + 1 + strcspn(at + 1, "/");

		if (strncmp(end - strlen(".service"), ".service", strlen(".service")) == 0)
			found = end;
		at = end;
	}
	if (found)
		return arena_strndup(arena, own_path, (size_t)(found - own_path));
	return arena_printf(arena, "/user.slice/user-%u.slice/user@%u.service", uid, uid);
}
