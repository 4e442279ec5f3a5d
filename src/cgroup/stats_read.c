/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/stats_read.h"

#include "os/dir.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void stats_select(struct stats_reader *r, const char *controller)
{
	int found = -1;

	for (size_t i = 0; i < r->layout->n && found < 0; i++) {
		if (!r->layout->items[i].v2 &&
		    cgroup_has_controller(&r->layout->items[i], controller))
			found = (int)i;
	}
	/* Some files of v2 are there without their controller. */
	if (found < 0)
		found = cgroup_find_v2(r->layout);

	defer_close_fn(&r->fd);
	r->file = NULL;
	r->fd = found < 0 ? -EBADF : os_dir_open(r->dirs[found].path);
	r->v2 = found >= 0 && r->dirs[found].v2;
}

char *stats_text(struct stats_reader *r, const char *file)
{
	if (r->fd < 0 || !file)
		return NULL;
	if (!r->file || strcmp(r->file, file) != 0) {
		r->file = file;
		if (!r->text)
			r->text = arena_alloc(&r->arena, STATS_FILE_MAX);
		if (os_read_at(r->fd, file, r->text, STATS_FILE_MAX) < 0)
			r->text[0] = '\0';
	}
	return *r->text ? r->text : NULL;
}

/* The word behind @key, which begins a line or follows a blank; NULL if it isn't there */
static const char *find_key(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *at = text; (at = strstr(at, key)); at += len) {
		if ((at == text || isspace((unsigned char)at[-1])) &&
		    (at[len] == ' ' || at[len] == '='))
			return at + len + 1;
	}
	return NULL;
}

uint64_t stats_number(struct stats_reader *r, const char *file, const char *key)
{
	const char *text = stats_text(r, file);

	if (text && key)
		text = find_key(text, key);
	if (!text)
		return 0;
	return strncmp(text, "max", 3) == 0 ? UINT64_MAX : strtoull(text, NULL, 10);
}

static uint64_t value_of(struct stats_reader *r, const struct stats_number *row)
{
	uint64_t scale = r->v2 ? row->v2_scale : row->v1_scale;
	uint64_t value = r->v2 ? stats_number(r, row->v2_file, row->v2_key)
			       : stats_number(r, row->v1_file, row->v1_key);

	if (value == UINT64_MAX)
		return row->max_is_zero ? 0 : value;
	return scale ? value * scale : value;
}

void stats_object(struct stats_reader *r, struct json_writer *w, const char *name,
		  const struct stats_number *rows, size_t n)
{
	if (name)
		json_object_begin(w, name);
	for (size_t i = 0; i < n; i++) {
		uint64_t value = value_of(r, &rows[i]);

		if (value || !rows[i].if_any)
			json_add_u64(w, rows[i].name, value);
	}
	if (name)
		json_object_end(w);
}

/* ---- pressure --------------------------------------------------------------------------------------------------- */

/* "some avg10=0.00 avg60=1.50 avg300=0.00 total=123". A word that is no number would spoil the JSON. */
static void add_averages(struct json_writer *w, const char *kind, const char *line)
{
	static const char *const keys[] = { "avg10", "avg60", "avg300", "total" };
	char number[32];

	json_object_begin(w, kind);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *at = line ? find_key(line, keys[i]) : NULL;
		size_t len = at ? strspn(at, "0123456789.") : 0;

		if (len == 0 || len >= sizeof(number) || !isdigit((unsigned char)at[len - 1])) {
			json_add_u64(w, keys[i], 0);
			continue;
		}
		memcpy(number, at, len);
		number[len] = '\0';
		json_add_raw(w, keys[i], number);
	}
	json_object_end(w);
}

void stats_pressure(struct stats_reader *r, struct json_writer *w, const char *file)
{
	char *text = r->v2 ? stats_text(r, file) : NULL, *full;

	if (!text)
		return;
	full = strstr(text, "full ");
	json_object_begin(w, "psi");
	if (full && full != text)
		full[-1] = '\0';
	add_averages(w, "some", text);
	add_averages(w, "full", full);
	json_object_end(w);
	r->file = NULL; /* its text was cut up */
}

/* ---- lists ------------------------------------------------------------------------------------------------------ */

void stats_list(struct stats_reader *r, struct json_writer *w, const char *name, const char *file)
{
	const char *text = stats_text(r, file);
	unsigned long first, last;
	char *end;

	if (!text)
		return;
	json_array_begin(w, name);
	for (; isdigit((unsigned char)*text); text = *end == ',' ? end + 1 : end) {
		first = last = strtoul(text, &end, 10);
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		/* uint16 in the callers' struct; also a bound for what a broken file may ask for. */
		for (; first <= last && first <= UINT16_MAX; first++)
			json_add_u64(w, NULL, first);
	}
	json_array_end(w);
}
