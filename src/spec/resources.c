/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The merge works on the documents, not on the structs that they are decoded into: what nobody here knows is kept, and what
 * is saved is read again by the one reader that there is.
 */
#include "spec/resources.h"

#include "base/json_write.h"
#include "spec/config_read.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is given ---------------------------------------------------------------------------------------------- */

/* Where 0 means "not set". Spec: config-linux.md; a 0 for pids.limit, cpu.burst and cpu.idle is a value. */
static const struct {
	const char *group, *name;
} zero_is_unset[] = {
	{ "memory", "limit" },    { "memory", "reservation" }, { "memory", "swap" },
	{ "memory", "kernel" },   { "memory", "kernelTCP" },   { "cpu", "shares" },
	{ "cpu", "quota" },       { "cpu", "period" },         { "cpu", "realtimeRuntime" },
	{ "blockIO", "weight" },  { "cpu", "realtimePeriod" }, { "blockIO", "leafWeight" },
	{ "network", "classID" },
};

static bool is_unset_zero(const struct json *v)
{
	const char *group = v->parent ? v->parent->key : NULL;

	if (v->type != JSON_NUMBER || v->len != 1 || v->text[0] != '0' || !group)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(zero_is_unset); i++) {
		if (strcmp(zero_is_unset[i].group, group) == 0 &&
		    strcmp(zero_is_unset[i].name, v->key) == 0)
			return true;
	}
	return false;
}

static bool is_value(const struct json *v)
{
	if (!v || v->type == JSON_NULL || (v->type == JSON_STRING && v->len == 0))
		return false;
	return !is_unset_zero(v);
}

/* The member of @object that a pointer's next part names; @len bytes, escaped */
static const struct json *child(const struct json *v, const char *part, size_t len)
{
	char name[256], *out = name;

	if (len >= sizeof(name))
		return NULL;
	if (v->type == JSON_ARRAY)
		return json_entry(v, strtoul(part, NULL, 10));
	for (size_t i = 0; i < len; i++) {
		if (part[i] == '~' && i + 1 < len)
			*out++ = part[++i] == '1' ? '/' : '~';
		else
			*out++ = part[i];
	}
	*out = '\0';
	return json_member(v, name);
}

bool resources_is_given(const struct resources_change *change, const char *pointer)
{
	const struct json *v = change->given;
	size_t len;

	for (; v && *pointer == '/'; pointer += len) {
		len = strcspn(++pointer, "/");
		v = v->type == JSON_OBJECT || v->type == JSON_ARRAY ? child(v, pointer, len) : NULL;
	}
	return is_value(v);
}

/* ---- merging ---------------------------------------------------------------------------------------------------- */

static bool same_text(const struct json *a, const struct json *b)
{
	if (!a || !b)
		return !a && !b;
	return a->type == b->type && (a->type == JSON_STRING || a->type == JSON_NUMBER) &&
	       a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* Are two entries of a list about the same device, page size or interface? */
static bool same_entry(const struct json *a, const struct json *b)
{
	static const char *const names[] = { "major", "minor", "pageSize", "name" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!same_text(json_member(a, names[i]), json_member(b, names[i])))
			return false;
	}
	return a->type == JSON_OBJECT && b->type == JSON_OBJECT;
}

/* What is given comes first, so that its entries have the indices that it was written with. */
static void merge_list(struct json_writer *w, const struct json *base, const struct json *given)
{
	const struct json *entry, *other;

	json_array_begin(w, given->key);
	json_each(entry, given)
		json_add_value(w, NULL, entry);
	json_each(entry, base) {
		for (other = given->first; other && !same_entry(entry, other); other = other->next)
			;
		if (!other)
			json_add_value(w, NULL, entry);
	}
	json_array_end(w);
}

static void merge_object(struct json_writer *w, const struct json *base, const struct json *given);

static void merge_value(struct json_writer *w, const struct json *base, const struct json *given)
{
	if (base && base->type == JSON_OBJECT && given->type == JSON_OBJECT)
		merge_object(w, base, given);
	else if (base && base->type == JSON_ARRAY && given->type == JSON_ARRAY &&
		 strcmp(given->key, "devices") != 0)
		merge_list(w, base, given);
	else
		json_add_value(w, given->key, given);
}

/* memory.swap counts memory, too: without a limit for memory it can have none. */
static bool takes_swap_along(const struct json *given)
{
	int64_t limit;

	return given->key && strcmp(given->key, "memory") == 0 &&
	       !is_value(json_member(given, "swap")) &&
	       json_i64(json_member(given, "limit"), &limit) == 0 && limit < 0;
}

static void merge_object(struct json_writer *w, const struct json *base, const struct json *given)
{
	bool no_swap = takes_swap_along(given);
	const struct json *member, *other;

	json_object_begin(w, given->key);
	json_each(member, base) {
		other = json_member(given, member->key);
		if (no_swap && strcmp(member->key, "swap") == 0)
			json_add_i64(w, "swap", -1);
		else if (is_value(other))
			merge_value(w, member, other);
		else
			json_add_value(w, member->key, member);
	}
	json_each(member, given) {
		if (!json_member(base, member->key) && is_value(member))
			json_add_value(w, member->key, member);
	}
	json_object_end(w);
}

/* ---- the documents ---------------------------------------------------------------------------------------------- */

/* Each line of @text; empty ones mean nothing. */
static void add_lines(struct json_writer *w, struct arena *arena, const char *text)
{
	while (text && *text) {
		size_t len = strcspn(text, "\n");

		if (len)
			json_add_string(w, NULL, arena_strndup(arena, text, len));
		text += len + (text[len] == '\n');
	}
}

/* `schemata` comes after the other two and would take back what they say: so the new lines are at its end as well. */
static void add_schemata(struct json_writer *w, struct arena *arena, const struct json *schemata,
			 const struct config_intel_rdt *rdt)
{
	const struct json *line;

	json_array_begin(w, "schemata");
	json_each(line, schemata)
		json_add_value(w, NULL, line);
	add_lines(w, arena, rdt->l3_cache_schema);
	add_lines(w, arena, rdt->mem_bw_schema);
	json_array_end(w);
}

/* linux.intelRdt with other schemas */
static void add_rdt(struct json_writer *w, struct arena *arena, const struct json *before,
		    const struct config_intel_rdt *rdt)
{
	const char *l3 = rdt->l3_cache_schema, *bandwidth = rdt->mem_bw_schema;
	const struct json *member;

	json_object_begin(w, "intelRdt");
	json_each(member, before) {
		if (strcmp(member->key, "schemata") == 0 && member->type == JSON_ARRAY)
			add_schemata(w, arena, member, rdt);
		else if (!(l3 && strcmp(member->key, "l3CacheSchema") == 0) &&
			 !(bandwidth && strcmp(member->key, "memBwSchema") == 0))
			json_add_value(w, member->key, member);
	}
	if (l3)
		json_add_string(w, "l3CacheSchema", l3);
	if (bandwidth)
		json_add_string(w, "memBwSchema", bandwidth);
	json_object_end(w);
}

static const char *config_with(struct arena *arena, const struct json *config,
			       const char *resources, const struct config_intel_rdt *rdt,
			       size_t *ret_len)
{
	const struct json *linux_ = json_member(config, "linux"), *member;
	struct json_writer inner, w;

	json_writer_init(&inner, arena, 0);
	json_object_begin(&inner, NULL);
	if (linux_ && linux_->type == JSON_OBJECT) {
		json_each(member, linux_) {
			if (rdt && strcmp(member->key, "intelRdt") == 0 &&
			    member->type == JSON_OBJECT)
				add_rdt(&inner, arena, member, rdt);
			else if (strcmp(member->key, "resources") != 0)
				json_add_value(&inner, member->key, member);
		}
	}
	json_add_raw(&inner, "resources", resources);
	json_object_end(&inner);

	json_writer_init(&w, arena, 0);
	json_object_begin(&w, NULL);
	if (config->type == JSON_OBJECT) {
		json_each(member, config) {
			if (strcmp(member->key, "linux") != 0)
				json_add_value(&w, member->key, member);
		}
	}
	json_add_raw(&w, "linux", json_writer_text(&inner, NULL));
	json_object_end(&w);
	return json_writer_text(&w, ret_len);
}

/* Complaints without a line: the text is one that nobody wrote. */
static int decode(struct arena *arena, const char *text, size_t len, struct config_resources *ret,
		  struct config_ignored_list *ret_ignored, struct err *err)
{
	struct decoder d = {
		.arena = arena, .text = text, .len = len, .err = err, .top = &resources_object
	};
	const struct json *root;
	int r;

	r = json_parse(arena, text, len, &root, err);
	if (r == 0)
		r = decode_object(&d, &resources_object, root, ret);
	err->line = 0;
	ret->set = true;
	*ret_ignored = d.ignored;
	return r;
}

static void keep_given(struct resources_change *change)
{
	struct config_ignored_list *list = &change->ignored;
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (resources_is_given(change, list->items[i].pointer))
			list->items[kept++] = list->items[i];
	}
	list->n = kept;
}

static int read_given(struct arena *arena, const char *text, size_t len, const struct json **ret,
		      struct err *err)
{
	int r;

	if (len > CONFIG_MAX_BYTES)
		return err_user(err, "read the resources: more than %zu MiB",
				CONFIG_MAX_BYTES / (1024 * 1024));
	r = json_parse(arena, text, len, ret, err);
	if (r < 0)
		return err_context(err, "read the resources");
	if ((*ret)->type == JSON_OBJECT)
		return 0;
	err_user(err, "read the resources: expected an object");
	return err_hint(err, "such as {\"memory\": {\"limit\": 268435456}}");
}

static const struct json empty_object = { .type = JSON_OBJECT };

int resources_change_read(struct arena *arena, const char *config, size_t config_len,
			  const char *text, size_t len, const struct config_intel_rdt *rdt,
			  struct resources_change *ret, struct err *err)
{
	struct resources_change change = { 0 };
	struct config_ignored_list of_before;
	const struct json *root, *base;
	struct json_writer w, merged;
	size_t base_len, merged_len;
	const char *base_text;
	int r;

	r = json_parse(arena, config, config_len, &root, err);
	if (r < 0)
		return err_context(err, "read the saved config.json");
	r = read_given(arena, text, len, &change.given, err);
	if (r < 0)
		return r;
	base = json_member(json_member(root, "linux"), "resources");
	base = base && base->type == JSON_OBJECT ? base : &empty_object;

	json_writer_init(&w, arena, 0);
	json_add_value(&w, NULL, base);
	base_text = json_writer_text(&w, &base_len);
	r = decode(arena, base_text, base_len, &change.before, &of_before, err);
	if (r < 0)
		return err_context(err, "read the saved config.json");

	json_writer_init(&merged, arena, 0);
	merge_object(&merged, base, change.given);
	base_text = json_writer_text(&merged, &merged_len);
	r = decode(arena, base_text, merged_len, &change.after, &change.ignored, err);
	if (r < 0)
		return r;
	keep_given(&change);
	change.config = config_with(arena, root, base_text, rdt, &change.config_len);
	*ret = change;
	return 0;
}
