/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of registries.conf: which there are, what may be in them, and how one adds to another. */
#include "registry/registries.h"

#include "os/dir.h"
#include "registry/config_file.h"
#include "registry/toml.h"
#include "spec/decode.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define SYSTEM_FILE "/etc/containers/registries.conf"
#define REMEMBERED  "short-name-aliases.conf"

/* ---- what a file has -------------------------------------------------------------------------------------------- */

struct mirrors {
	struct mirror *items;
	size_t n;
};

/* One [[registry]]. */
struct rule {
	const char *prefix, *location;
	bool insecure, blocked, mirrors_by_digest;
	struct mirrors mirrors;
};

struct file {
	struct str_list search;
	bool has_search, has_short_names, has_helpers;
	uint32_t short_names;
	struct key_value_list aliases;
	struct str_list helpers;
	struct {
		struct rule *items;
		size_t n;
	} rules;
};

static const struct word short_name_items[] = {
	{ "enforcing", SHORT_NAMES_ENFORCING },
	{ "permissive", SHORT_NAMES_PERMISSIVE },
	{ "disabled", SHORT_NAMES_DISABLED },
};
static const struct words short_name_words = { "a mode for short names", short_name_items,
					       ARRAY_LEN(short_name_items) };
static const struct word mirror_items[] = {
	{ "all", MIRROR_ALL },
	{ "digest-only", MIRROR_DIGEST_ONLY },
	{ "tag-only", MIRROR_TAG_ONLY },
};
static const struct words mirror_words = { "what a mirror is for", mirror_items,
					   ARRAY_LEN(mirror_items) };

/* A registry, with a path or not; no tag, no address, and no "*" but for a prefix. */
static int check_location(struct decoder *d, const struct json *v, void *out)
{
	const char *slash = strchr(v->text, '/');

	if (strstr(v->text, "://"))
		return decode_fail(d, v, "\"%s\" is a web address; write the registry alone",
				   v->text);
	if (v->len && v->text[v->len - 1] == '/')
		return decode_fail(d, v, "\"%s\" ends with a \"/\"", v->text);
	if (strchr(v->text, '@') || (slash && strchr(slash, ':')))
		return decode_fail(
			d, v, "\"%s\" has a tag or a digest, and rules are for whole repositories",
			v->text);
	return 0;
}

static const struct field mirror_fields[] = {
	{ "location", STRING(struct mirror, location), .flags = REQUIRED | NOT_EMPTY,
	  .check = check_location },
	{ "insecure", BOOL(struct mirror, insecure) },
	{ "pull-from-mirror", WORD(struct mirror, use, mirror_words) },
};
static const struct object mirror_object = OBJECT(struct mirror, mirror_fields, NULL);

static int check_rule(struct decoder *d, const struct json *v, void *out)
{
	struct rule *rule = out;

	if (!rule->prefix && !rule->location)
		return decode_fail(d, v, "it has neither a prefix nor a location");
	if (!rule->prefix)
		rule->prefix = rule->location;
	if (!strncmp(rule->prefix, "*.", 2) && rule->location && rule->location != rule->prefix)
		return decode_fail(
			d, v,
			"a prefix with \"*\" can't have a location: it is for many registries");
	if (strchr(rule->prefix, '*') && strncmp(rule->prefix, "*.", 2) != 0)
		return decode_fail(
			d, v, "a \"*\" may only stand for the first part of a registry's name");
	return 0;
}

static const struct field rule_fields[] = {
	{ "prefix", STRING(struct rule, prefix), .flags = EMPTY_IS_ABSENT,
	  .check = check_location },
	{ "location", STRING(struct rule, location), .flags = EMPTY_IS_ABSENT,
	  .check = check_location },
	{ "insecure", BOOL(struct rule, insecure) },
	{ "blocked", BOOL(struct rule, blocked) },
	{ "mirror-by-digest-only", BOOL(struct rule, mirrors_by_digest) },
	{ "mirror", OBJECTS(struct rule, mirrors, mirror_object) },
};
static const struct object rule_object = OBJECT(struct rule, rule_fields, check_rule);

static int refuse_version_1(struct decoder *d, const struct json *v, void *out)
{
	return decode_fail(
		d, v,
		"this is version 1 of the format, which was given up; write unqualified-search-registries and [[registry]]");
}

/* An empty list is something else than none: it takes away what an earlier file has. */
static int check_file(struct decoder *d, const struct json *v, void *out)
{
	struct file *file = out;

	file->has_search = json_member(v, "unqualified-search-registries");
	file->has_short_names = json_member(v, "short-name-mode");
	file->has_helpers = json_member(v, "credential-helpers");
	return 0;
}

static const struct field file_fields[] = {
	{ "unqualified-search-registries", STRINGS(struct file, search), .flags = NOT_EMPTY,
	  .check = check_location },
	{ "short-name-mode", WORD(struct file, short_names, short_name_words) },
	{ "credential-helpers", STRINGS(struct file, helpers), .flags = NOT_EMPTY },
	{ "registry", OBJECTS(struct file, rules, rule_object) },
	{ "aliases", STRING_MAP(struct file, aliases), .check = check_location },
	{ "registries", .kind = FIELD_CUSTOM, .custom = refuse_version_1 },
	{ "additional-layer-store-auth-helper", IGNORED("there is no additional layer store") },
};
static const struct object file_object = OBJECT(struct file, file_fields, check_file);

/* ---- adding ----------------------------------------------------------------------------------------------------- */

/* A grown copy of an array in the arena. */
static void *grow(struct arena *arena, const void *items, size_t n, size_t more, size_t size)
{
	void *grown = arena_array(arena, n + more, size);

	if (n)
		memcpy(grown, items, n * size);
	return grown;
}

/* One for the same prefix takes the place of an earlier one. */
static void add_rules(struct arena *arena, const struct file *file, struct registries *to)
{
	to->rules = grow(arena, to->rules, to->n_rules, file->rules.n, sizeof(*to->rules));
	for (size_t i = 0; i < file->rules.n; i++) {
		const struct rule *rule = &file->rules.items[i];
		size_t at = 0;

		while (at < to->n_rules && strcmp(to->rules[at].prefix, rule->prefix) != 0)
			at++;
		to->n_rules += at == to->n_rules;
		to->rules[at] = (struct registry_rule){
			.prefix = rule->prefix,
			.location = rule->location == rule->prefix ? NULL : rule->location,
			.insecure = rule->insecure,
			.blocked = rule->blocked,
			.mirrors_by_digest = rule->mirrors_by_digest,
			.mirrors = rule->mirrors.items,
			.n_mirrors = rule->mirrors.n,
		};
	}
}

/* An empty alias takes one away. */
static void put_aliases(struct arena *arena, const struct key_value_list *from,
			struct key_value_list *list)
{
	list->items = grow(arena, list->items, list->n, from->n, sizeof(*list->items));
	for (size_t i = 0; i < from->n; i++) {
		size_t at = 0;

		while (at < list->n && strcmp(list->items[at].key, from->items[i].key) != 0)
			at++;
		list->n += at == list->n;
		list->items[at] = from->items[i];
		if (!*list->items[at].value)
			list->items[at] = list->items[--list->n];
	}
}

static void add_unknown(struct arena *arena, const char *path, const struct decoder *d,
			struct registries *to)
{
	struct str_list *list = &to->unknown;

	list->items = grow(arena, list->items, list->n, d->ignored.n, sizeof(*list->items));
	for (size_t i = 0; i < d->ignored.n; i++)
		list->items[list->n++] =
			arena_printf(arena, "%s: %s: %s", path, d->ignored.items[i].pointer,
				     d->ignored.items[i].why);
}

static void add_file(struct arena *arena, const struct file *file, struct registries *to)
{
	if (file->has_search)
		to->search = file->search;
	if (file->has_short_names)
		to->short_names = (enum short_names)file->short_names;
	if (file->has_helpers)
		to->helpers = file->helpers;
	add_rules(arena, file, to);
	put_aliases(arena, &file->aliases, &to->aliases);
}

int registries_read(struct arena *arena, const char *path, const char *text, size_t len,
		    struct registries *registries, struct err *err)
{
	struct decoder d = { .arena = arena,
			     .name = path,
			     .text = text,
			     .len = len,
			     .err = err,
			     .top = &file_object };
	const struct json *root;
	struct file file = { 0 };
	uint32_t line;
	int r = toml_parse(arena, text, len, &root, err);

	if (r < 0)
		return err_context(err, "read \"%s\"", path);
	r = decode_object(&d, &file_object, root, &file);
	if (r < 0) {
		line = err->line;
		err->line = 0;
		err->pointer[0] = '\0';
		return err_context(err, "read \"%s\": line %u", path, line);
	}
	add_file(arena, &file, registries);
	add_unknown(arena, path, &d, registries);
	return 0;
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

/* Return: 1 if it was there; 0 if not; -errno */
static int read_at(struct arena *arena, int dir, const char *name, const char *path,
		   struct registries *registries, struct err *err)
{
	char *text;
	size_t len;
	int r = config_file_read(arena, dir, name, path, TOML_MAX_BYTES, &text, &len, err);

	if (r <= 0)
		return r;
	r = registries_read(arena, path, text, len, registries, err);
	return r < 0 ? r : 1;
}

static int is_conf(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && !strcmp(entry->d_name + len - 5, ".conf");
}

static int read_directory(struct arena *arena, const char *path, struct registries *registries,
			  struct err *err)
{
	defer_close int dir = os_dir_open(path);
	struct dirent **entries;
	int n, r = 0;

	if (dir == -ENOENT || dir == -ENOTDIR)
		return 0;
	n = dir < 0 ? -1 : scandirat(dir, ".", &entries, is_conf, alphasort);
	if (n < 0)
		return dir < 0 ? err_set(err, dir, "open \"%s\"", path)
			       : err_sys(err, "read \"%s\"", path);
	for (int i = 0; i < n; i++) {
		if (r >= 0)
			r = read_at(arena, dir, entries[i]->d_name,
				    arena_printf(arena, "%s/%s", path, entries[i]->d_name),
				    registries, err);
		free(entries[i]);
	}
	free(entries);
	return r < 0 ? r : 0;
}

static int load_files(struct arena *arena, struct registries *registries, struct err *err)
{
	const char *explicit_file = config_variable("CONTAINERS_REGISTRIES_CONF"), *user;
	int r = 0;

	if (explicit_file) {
		r = read_at(arena, AT_FDCWD, explicit_file, explicit_file, registries, err);
		if (r == 0)
			r = err_user_code(
				err, -ENOENT,
				"CONTAINERS_REGISTRIES_CONF names \"%s\", and there is no such file",
				explicit_file);
		return r < 0 ? r : 0;
	}
	user = config_user_path(arena, "registries.conf");
	if (user)
		r = read_at(arena, AT_FDCWD, user, user, registries, err);
	if (r == 0)
		r = read_at(arena, AT_FDCWD, SYSTEM_FILE, SYSTEM_FILE, registries, err);
	if (r >= 0)
		r = read_directory(arena, SYSTEM_FILE ".d", registries, err);
	if (r >= 0 && user)
		r = read_directory(arena, arena_printf(arena, "%s.d", user), registries, err);
	return r < 0 ? r : 0;
}

int registries_load(struct arena *arena, struct registries *ret, struct err *err)
{
	const char *remembered = config_cache_path(arena, REMEMBERED);
	struct registries registries = { 0 }, aliases = { 0 };
	int r = load_files(arena, &registries, err);

	if (r == 0 && remembered)
		r = read_at(arena, AT_FDCWD, remembered, remembered, &aliases, err);
	if (r < 0)
		return r;
	put_aliases(arena, &aliases.aliases, &registries.aliases);
	*ret = registries;
	return 0;
}

int registries_remember(struct arena *arena, const char *short_name, const char *name,
			struct err *err)
{
	struct key_value one = { .key = short_name, .value = name };
	const char *path = config_cache_path(arena, REMEMBERED), *text = "[aliases]\n";
	struct registries known = { 0 };
	int r;

	if (!path)
		return err_user_code(err, -ENOENT, "there is no home to remember it in");
	r = read_at(arena, AT_FDCWD, path, path, &known, err);
	if (r < 0)
		return r;
	put_aliases(arena, &(struct key_value_list){ &one, 1 }, &known.aliases);
	for (size_t i = 0; i < known.aliases.n; i++) {
		const struct key_value *alias = &known.aliases.items[i];

		/* What would have to be escaped is no name. */
		if (!strpbrk(alias->key, "\"\\\n") && !strpbrk(alias->value, "\"\\\n"))
			text = arena_printf(arena, "%s\"%s\" = \"%s\"\n", text, alias->key,
					    alias->value);
	}
	return config_file_replace(arena, path, text, err);
}
