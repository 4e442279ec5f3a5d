/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Properties that no table has. The spec wants them ignored, but most of them are mistakes, so we look for what was
 * meant: first a name like it in the same object, then the very same name in another one ("oomScoreAdj" among the
 * resources, "seccomp" at the top).
 */
#include "spec/decode.h"

#include "base/near.h"

#include <string.h>

static const char *near_sibling(struct decoder *d, const struct object *object,
				const struct json *v)
{
	char parent[ERR_POINTER_MAX];
	struct near near;

	near_init(&near, v->key);
	for (size_t i = 0; i < object->n_fields; i++) {
		if (object->fields[i].kind != FIELD_IGNORED)
			near_offer(&near, object->fields[i].name);
	}
	if (!near.best)
		return NULL;
	json_pointer_text(v->parent, parent, sizeof(parent));
	return arena_printf(d->arena, "%s/%s", parent, near.best);
}

struct search {
	struct arena *arena;
	const char *name;
	const char *found; /* pointer of a place where it belongs */
	unsigned n_found;
};

static void search_object(struct search *search, const struct object *object, const char *pointer)
{
	for (size_t i = 0; i < object->n_fields; i++) {
		const struct field *f = &object->fields[i];

		if (!strcmp(f->name, search->name)) {
			search->found = arena_printf(search->arena, "%s/%s", pointer, f->name);
			search->n_found++;
		}
		if (f->object)
			search_object(search, f->object,
				      arena_printf(search->arena, "%s/%s", pointer, f->name));
	}
}

/* Only a name that has just one place in the whole document tells where it was meant to be. */
static const char *only_place(struct decoder *d, const struct json *v)
{
	struct search search = { .arena = d->arena, .name = v->key };

	if (d->top)
		search_object(&search, d->top, "");
	return search.n_found == 1 ? search.found : NULL;
}

int decode_unknown(struct decoder *d, const struct object *object, const struct json *v)
{
	const char *near;

	if (d->open)
		return 0;
	near = near_sibling(d, object, v);
	return decode_ignored(d, v, near ? near : only_place(d, v), "unknown property");
}
