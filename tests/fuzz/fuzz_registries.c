/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TOML and registries.conf with anything: what is taken is JSON when it is written down, and any name can be looked up in it. */
#include "base/json_write.h"
#include "registry/registries.h"
#include "registry/toml.h"
#include "promise.h"

#include <string.h>

static void write_down(struct arena *arena, const struct json *root)
{
	struct err err = ERR_INIT;
	const struct json *again;
	struct json_writer w;
	char *text;
	size_t len;

	json_writer_init(&w, arena, 0);
	json_add_value(&w, NULL, root);
	text = json_writer_text(&w, &len);
	PROMISE(json_parse(arena, text, len, &again, &err) == 0);
}

static void look_up(struct arena *arena, const struct registries *registries, const char *name)
{
	struct err err = ERR_INIT;
	struct reference reference;
	struct endpoint_list list;
	struct str_list names;

	PROMISE(reference_parse(arena, name, &reference, &err) == 0);
	if (registries_endpoints(arena, registries, &reference, false, &list, &err) == 0)
		PROMISE(list.n && list.items[list.n - 1].registry);
	else
		PROMISE(err.text[0]);
	if (!reference.registry &&
	    registries_candidates(arena, registries, &reference, &names, &err) == 0)
		PROMISE(names.n && names.items[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	defer_arena struct arena arena = { 0 };
	struct registries registries = { 0 };
	struct err err = ERR_INIT;
	const struct json *root;

	if (toml_parse(&arena, (const char *)data, size, &root, &err) < 0) {
		PROMISE(err.code == -EINVAL && strstr(err.text, "line "));
		return 0;
	}
	write_down(&arena, root);
	if (registries_read(&arena, "registries.conf", (const char *)data, size, &registries,
			    &err) < 0)
		return 0;
	look_up(&arena, &registries, "a");
	look_up(&arena, &registries, "r.example/ns/a:tag");
	return 0;
}
