/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spec/state_doc.h"

#include <string.h>

static void add_if(struct json_writer *w, const char *key, const char *value)
{
	if (value)
		json_add_string(w, key, value);
}

static void write_head(struct json_writer *w, const char *key, const struct state_doc *doc)
{
	json_object_begin(w, key);
	json_add_string(w, "ociVersion", SPEC_VERSION);
	json_add_string(w, "id", doc->id);
}

static void write_rest(struct json_writer *w, const struct state_doc *doc)
{
	json_add_string(w, "status", doc->status);
	json_add_string(w, "bundle", doc->bundle);
	add_if(w, "rootfs", doc->rootfs);
	add_if(w, "created", doc->created);
	if (doc->annotations.n) {
		json_object_begin(w, "annotations");
		for (size_t i = 0; i < doc->annotations.n; i++)
			json_add_string(w, doc->annotations.items[i].key,
					doc->annotations.items[i].value);
		json_object_end(w);
	}
	add_if(w, "owner", doc->owner);
	json_object_end(w);
}

void state_doc_write(struct json_writer *w, const char *key, const struct state_doc *doc)
{
	write_head(w, key, doc);
	json_add_i64(w, "pid", doc->pid);
	write_rest(w, doc);
}

void process_state_split(struct arena *arena, const struct state_doc *doc, const char *metadata,
			 const char *ret[3])
{
	struct json_writer w;
	size_t hole, second, len;
	char *text;

	json_writer_init(&w, arena, 0);
	json_object_begin(&w, NULL);
	json_add_string(&w, "ociVersion", SPEC_VERSION);
	json_array_begin(&w, "fds");
	json_add_string(&w, NULL, PROCESS_STATE_SECCOMP_FD);
	json_array_end(&w);
	json_add_raw(&w, "pid", "");
	hole = w.len;
	add_if(&w, "metadata", metadata);
	write_head(&w, "state", doc);
	if (doc->pid > 0)
		json_add_i64(&w, "pid", doc->pid);
	else
		json_add_raw(&w, "pid", "");
	second = w.len;
	write_rest(&w, doc);
	json_object_end(&w);

	text = json_writer_text(&w, &len);
	ret[0] = arena_strndup(arena, text, hole);
	ret[1] = doc->pid > 0 ? text + hole : arena_strndup(arena, text + hole, second - hole);
	ret[2] = doc->pid > 0 ? NULL : text + second;
}

void state_doc_split(struct arena *arena, const struct state_doc *doc, const char **ret_before,
		     const char **ret_after)
{
	struct json_writer w;
	size_t hole, len;
	char *text;

	json_writer_init(&w, arena, 0);
	write_head(&w, NULL, doc);
	json_add_raw(&w, "pid", "");
	hole = w.len;
	write_rest(&w, doc);

	text = json_writer_text(&w, &len);
	*ret_before = arena_strndup(arena, text, hole);
	*ret_after = text + hole;
}
