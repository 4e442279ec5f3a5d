/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/rdt.h"

#include "os/dir.h"
#include "os/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* A line for each resource, with a value for each of its domains: a large machine has some kilobytes. */
#define SCHEMATA_MAX ((size_t)1024 * 1024)

/* ---- what the config means -------------------------------------------------------------------------------------- */

static bool has_lines(const struct config_intel_rdt *rdt)
{
	return rdt->l3_cache_schema || rdt->mem_bw_schema || rdt->schemata.n;
}

enum rdt_wish rdt_wish(const struct config_intel_rdt *rdt)
{
	if (!rdt->clos_id)
		return RDT_MAKE;
	return has_lines(rdt) ? RDT_MATCH : RDT_JOIN;
}

const char *rdt_group(struct arena *arena, const char *mount, const struct config_intel_rdt *rdt,
		      const char *id)
{
	if (rdt->clos_id && strcmp(rdt->clos_id, "/") == 0)
		return arena_strdup(arena, mount);
	return arena_printf(arena, "%s/%s", mount, rdt->clos_id ? rdt->clos_id : id);
}

const char *rdt_monitor(struct arena *arena, const char *group, const struct config_intel_rdt *rdt,
			const char *id)
{
	return rdt->enable_monitoring ? arena_printf(arena, "%s/mon_groups/%s", group, id) : NULL;
}

/* @text may have several lines; the last need not have an end, and an empty one is none. */
static const char *add_lines(struct arena *arena, const char *before, const char *text)
{
	while (text && *text) {
		size_t len = strcspn(text, "\n");

		if (len)
			before = arena_printf(arena, "%s%.*s\n", before, (int)len, text);
		text += len + (text[len] == '\n');
	}
	return before;
}

const char *rdt_lines(struct arena *arena, const struct config_intel_rdt *rdt)
{
	const char *lines = add_lines(arena, "", rdt->l3_cache_schema);

	lines = add_lines(arena, lines, rdt->mem_bw_schema);
	for (size_t i = 0; i < rdt->schemata.n; i++)
		lines = add_lines(arena, lines, rdt->schemata.items[i]);
	return lines;
}

/* ---- comparing -------------------------------------------------------------------------------------------------- */

/* One value: of resource @name (@name_len bytes) the one for domain @id. */
struct value {
	const char *name;
	size_t name_len;
	unsigned long id;
	unsigned long long number;
};

/*
 * Read the value at *@at and step over it. A line is "L3:0=fff;1=fff", with blanks before the name and before numbers;
 * @name stands at the line's name and is looked for when *@at is at the beginning of a line.
 * Return: false at the end, or at what can't be understood: then *@at is not at the end
 */
static bool next_value(const char **at, struct value *v)
{
	const char *text = *at;
	char *end;

	if (!v->name) {
		text += strspn(text, " \n");
		*at = text;
		v->name_len = strcspn(text, ":\n");
		if (text[v->name_len] != ':')
			return false;
		v->name = text;
		text += v->name_len + 1;
	}
	v->id = strtoul(text, &end, 10);
	if (end == text || *end != '=')
		return false;
	text = end + 1;
	/* Bandwidth (MB, SMBA) is counted, everything else are masks of bits. */
	v->number = strtoull(text, &end, memmem(v->name, v->name_len, "MB", 2) ? 10 : 16);
	if (end == text)
		return false;
	end += strspn(end, " ");
	if (*end == ';')
		end++;
	*at = end;
	return true;
}

static bool is_same_place(const struct value *a, const struct value *b)
{
	return a->id == b->id && a->name_len == b->name_len &&
	       memcmp(a->name, b->name, a->name_len) == 0;
}

/* Is there a value for the place of @v from @at on? */
static bool find_value(const char *at, struct value *v)
{
	struct value found = { 0 };

	while (next_value(&at, &found)) {
		if (is_same_place(&found, v)) {
			v->number = found.number;
			return true;
		}
		if (*at == '\n' || !*at)
			found.name = NULL;
	}
	return false;
}

/* The rest of the line that @at is in the middle of has values too; they have no name before them. */
static bool is_set_later(const char *at, const struct value *v)
{
	struct value later = *v;
	const char *line = strchr(at, '\n');

	return line && find_value(line, &later);
}

bool rdt_matches(const char *lines, const char *schemata, const char **ret_at)
{
	struct value wanted = { 0 }, is;
	const char *at = lines;

	for (;;) {
		*ret_at = at + strspn(at, "\n");
		if (!next_value(&at, &wanted))
			return !*at;
		is = wanted;
		if (!is_set_later(at, &wanted) &&
		    (!find_value(schemata, &is) || is.number != wanted.number))
			return false;
		if (*at == '\n' || !*at)
			wanted.name = NULL;
	}
}

/* ---- groups ----------------------------------------------------------------------------------------------------- */

/* The kernel tells in a file why it refused the last thing; it is in the root of the filesystem. */
static int add_reason(int dir, struct err *err)
{
	static const char *const places[] = { "info/last_cmd_status", "../info/last_cmd_status",
					      "../../../info/last_cmd_status" };
	char text[200];

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (os_read_at(dir, places[i], text, sizeof(text)) > 0 && strcmp(text, "ok") != 0)
			return err_hint(err, "the kernel says: %s", text);
	}
	return err->code;
}

int rdt_write(int dir, const char *group, const char *lines, struct err *err)
{
	int r;

	while (*lines) {
		size_t len = strcspn(lines, "\n") + 1;

		r = os_file_write_at(dir, "schemata", lines, len);
		if (r < 0) {
			err_set(err, r, "write \"%.*s\" to \"%s/schemata\"", (int)len - 1, lines,
				group);
			return add_reason(dir, err);
		}
		lines += len;
	}
	return 0;
}

static int read_schemata(struct arena *arena, int dir, const char *group, char **ret_text,
			 struct err *err)
{
	defer_close int fd = openat(dir, "schemata", O_RDONLY | O_CLOEXEC);
	size_t len;
	int r;

	r = fd < 0 ? -errno : os_file_read(arena, fd, SCHEMATA_MAX, ret_text, &len);
	return r < 0 ? err_set(err, r, "read \"%s/schemata\"", group) : 0;
}

/* Does one of @lines begin with the name that @line begins with? */
static bool is_named(const char *lines, const char *line)
{
	size_t len = strcspn(line, ":\n");

	for (; *lines; lines += strcspn(lines, "\n") + 1) {
		if (strncmp(lines, line, len) == 0 && lines[len] == ':')
			return true;
	}
	return false;
}

int rdt_before(struct arena *arena, int dir, const char *group, const char *lines, const char **ret,
	       struct err *err)
{
	const char *before = "";
	char *text, *line;
	int r = read_schemata(arena, dir, group, &text, err);

	if (r < 0)
		return r;
	while ((line = strsep(&text, "\n"))) {
		line += strspn(line, " ");
		if (*line && is_named(lines, line))
			before = arena_printf(arena, "%s%s\n", before, line);
	}
	*ret = before;
	return 0;
}

static int check_lines(int dir, const char *group, const char *lines, struct err *err)
{
	defer_arena struct arena arena = { 0 };
	const char *at;
	char *text;
	int r;

	r = read_schemata(&arena, dir, group, &text, err);
	if (r < 0)
		return r;
	if (rdt_matches(lines, text, &at))
		return 0;
	err_user_code(
		err, -EEXIST,
		"join class of service \"%s\": it is there already and differs from the config at "
		"\"%.*s\"",
		group, (int)strcspn(at, "\n"), at);
	return err_hint(err,
			"`cat %s/schemata` shows what is in force; other containers may be in it",
			group);
}

static int make_error(int r, const char *group, struct err *err)
{
	err_set(err, r, "make class of service \"%s\"", group);
	if (r == -ENOSPC)
		return err_hint(err, "the processor has no more of them: see num_closids below "
				     "info/");
	return r;
}

/* In a group that was just made. */
static int fill(int dir, const char *group, const char *lines, struct err *err)
{
	struct err ignored = ERR_INIT;
	int r = rdt_write(dir, group, lines, err);

	if (r < 0)
		(void)!rdt_remove(group, &ignored);
	return r;
}

int rdt_open(const char *group, enum rdt_wish wish, const char *lines, bool *ret_made,
	     struct err *err)
{
	int r = wish == RDT_JOIN ? -EEXIST : os_dir_make(group, 0755);
	bool made = r == 0;
	defer_close int dir = -EBADF;

	if (r == -EEXIST && wish == RDT_MAKE) {
		err_user_code(err, r, "make class of service \"%s\": it is there already", group);
		return err_hint(err, "name it as closID to share it, or `rmdir %s`", group);
	}
	if (r < 0 && r != -EEXIST)
		return make_error(r, group, err);
	dir = os_dir_open(group);
	if (dir == -ENOENT) {
		err_user_code(err, dir, "join class of service \"%s\": it does not exist", group);
		return err_hint(err, "give closID a schema, and it is made");
	}
	if (dir < 0)
		return err_set(err, dir, "open class of service \"%s\"", group);
	if (made)
		r = fill(dir, group, lines, err);
	else
		r = wish == RDT_MATCH ? check_lines(dir, group, lines, err) : 0;
	if (r < 0)
		return r;
	*ret_made = made;
	return take_fd(&dir);
}

int rdt_open_monitor(const char *monitor, struct err *err)
{
	int r = os_dir_make(monitor, 0755);

	if (r < 0) {
		err_set(err, r, "make monitoring group \"%s\"", monitor);
		if (r == -ENOENT)
			err_hint(err, "this processor or kernel has no monitoring");
		if (r == -ENOSPC)
			err_hint(err, "the processor has no more of them: see num_rmids below "
				      "info/L3_MON");
		return r;
	}
	r = os_dir_open(monitor);
	return r < 0 ? err_set(err, r, "open monitoring group \"%s\"", monitor) : r;
}

int rdt_remove(const char *group, struct err *err)
{
	int r = os_dir_remove(group);

	return r == 0 || r == -ENOENT ? 0 : err_set(err, r, "remove \"%s\" of resctrl", group);
}
