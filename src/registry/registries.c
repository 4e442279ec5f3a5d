/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "registry/registries.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- rules ------------------------------------------------------------------------------------------------------ */

/* "*.example.org": any registry below example.org. Return: how much of @name it is for; 0: none */
static size_t match_wildcard(const char *prefix, const char *name)
{
	size_t host = strcspn(name, "/"), domain = strlen(prefix + 1);

	/* A port belongs to the registry's name, and the wildcard has none. */
	for (size_t port = 0; port < host; port++) {
		if (name[port] == ':')
			host = port;
	}
	return host > domain && !strncasecmp(name + host - domain, prefix + 1, domain) ? host : 0;
}

/* Return: how much of @name the prefix is for; 0: none. Parts match as a whole */
static size_t match(const char *prefix, const char *name)
{
	size_t len = strlen(prefix);

	if (!strncmp(prefix, "*.", 2))
		return match_wildcard(prefix, name);
	if (strncmp(prefix, name, len) != 0 || (name[len] && name[len] != '/'))
		return 0;
	return len;
}

/* The longest prefix wins. */
static const struct registry_rule *find_rule(const struct registries *registries, const char *name,
					     size_t *ret_matched)
{
	const struct registry_rule *best = NULL;

	for (size_t i = 0; i < registries->n_rules; i++) {
		const struct registry_rule *rule = &registries->rules[i];
		size_t matched = match(rule->prefix, name);

		if (!matched || (best && strlen(rule->prefix) <= strlen(best->prefix)))
			continue;
		best = rule;
		*ret_matched = matched;
	}
	return best;
}

/* ---- endpoints -------------------------------------------------------------------------------------------------- */

/* "host/path" into its two parts. */
static int split(struct arena *arena, const char *name, bool insecure, struct endpoint *ret,
		 struct err *err)
{
	struct reference reference;
	int r = reference_parse(arena, name, &reference, err);

	if (r == 0 && !reference.registry)
		/* "mirror/nginx": whoever wrote the file means a host. */
		r = err_user(err, "\"%s\" has no registry", name);
	if (r < 0)
		return err_context(err, "apply registries.conf");
	*ret = (struct endpoint){ reference.registry, reference.path, insecure };
	return 0;
}

static bool is_for(const struct registry_rule *rule, const struct mirror *mirror,
		   const struct reference *reference)
{
	bool digest = reference->digest != NULL;

	if (rule->mirrors_by_digest && !digest)
		return false;
	return mirror->use == MIRROR_ALL || (mirror->use == MIRROR_DIGEST_ONLY) == digest;
}

static int add_mirrors(struct arena *arena, const struct registry_rule *rule,
		       const struct reference *reference, const char *rest,
		       struct endpoint_list *list, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < rule->n_mirrors; i++) {
		const struct mirror *mirror = &rule->mirrors[i];

		if (is_for(rule, mirror, reference))
			r = split(arena, arena_printf(arena, "%s%s", mirror->location, rest),
				  mirror->insecure, &list->items[list->n++], err);
	}
	return r;
}

static int check(const struct reference *reference, const struct registry_rule *rule,
		 const char *name, struct err *err)
{
	if (!reference->registry)
		return err_user(err, "\"%s\" is a short name: it has no registry", name);
	if (reference_is_local(reference))
		return err_user(err, "\"%s\" is a name of this machine's own: no registry has it",
				name);
	if (rule && rule->blocked) {
		err_user_code(err, -EACCES, "registry \"%s\" is blocked by registries.conf",
			      rule->prefix);
		return err->code;
	}
	return 0;
}

int registries_endpoints(struct arena *arena, const struct registries *registries,
			 const struct reference *reference, bool push, struct endpoint_list *ret,
			 struct err *err)
{
	const char *name = reference_name(arena, reference);
	size_t matched = 0;
	const struct registry_rule *rule = find_rule(registries, name, &matched);
	struct endpoint_list list = { 0 };
	int r = check(reference, rule, name, err);

	if (r < 0)
		return r;
	list.items = arena_array(arena, rule ? rule->n_mirrors + 1 : 1, sizeof(*list.items));
	if (rule && !push)
		r = add_mirrors(arena, rule, reference, name + matched, &list, err);
	if (rule && rule->location)
		name = arena_printf(arena, "%s%s", rule->location, name + matched);
	if (r == 0)
		r = split(arena, name, rule && rule->insecure, &list.items[list.n++], err);
	if (r == 0)
		*ret = list;
	return r;
}

/* ---- short names ------------------------------------------------------------------------------------------------ */

int registries_candidates(struct arena *arena, const struct registries *registries,
			  const struct reference *reference, struct str_list *ret, struct err *err)
{
	struct str_list list = { 0 };

	list.items = arena_array(arena, registries->search.n + 1, sizeof(*list.items));
	for (size_t i = 0; i < registries->aliases.n; i++) {
		if (!strcmp(registries->aliases.items[i].key, reference->path))
			list.items[list.n++] = registries->aliases.items[i].value;
	}
	for (size_t i = 0; !list.n && i < registries->search.n; i++) {
		struct reference full = { .registry = registries->search.items[i],
					  .path = reference->path,
					  .tag = "" };

		/* docker.io's own images have a longer name than they are called by. */
		reference_complete(arena, &full);
		list.items[i] = reference_name(arena, &full);
	}
	if (!list.n)
		list.n = registries->search.n;
	if (!list.n) {
		err_user(
			err,
			"\"%s\" names no registry, and registries.conf has neither an alias for it nor registries to be searched",
			reference->path);
		return err_hint(
			err,
			"write the whole name, such as \"docker.io/library/%s\"; or set unqualified-search-registries",
			reference->path);
	}
	*ret = list;
	return 0;
}
