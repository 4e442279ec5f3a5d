/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/process_parts.h"

#include "spec/words.h"

#include <stdlib.h>
#include <string.h>

static bool is_same_name(const char *a, const char *b)
{
	size_t len = strcspn(a, "=");

	return len == strcspn(b, "=") && memcmp(a, b, len) == 0;
}

void environment_put(struct environment *env, const char *variable)
{
	for (size_t i = 0; i < env->n; i++) {
		if (is_same_name(env->items[i], variable)) {
			env->items[i] = variable;
			return;
		}
	}
	env->items = arena_grow(env->arena, env->items, env->n, sizeof(*env->items));
	env->items[env->n++] = variable;
}

int environment_given(struct environment *env, const char *text, struct err *err)
{
	const char *value;

	if (*text == '=' || !*text)
		return err_user(err, "\"%s\" is no variable: its name is empty", text);
	if (strchr(text, '=')) {
		environment_put(env, text);
		return 0;
	}
	value = getenv(text);
	if (value)
		environment_put(env, arena_printf(env->arena, "%s=%s", text, value));
	return 0;
}

void process_write_user(struct json_writer *w, const struct user *user)
{
	json_object_begin(w, "user");
	json_add_u64(w, "uid", user->uid);
	json_add_u64(w, "gid", user->gid);
	if (user->groups.n) {
		json_array_begin(w, "additionalGids");
		for (size_t i = 0; i < user->groups.n; i++)
			json_add_u64(w, NULL, user->groups.items[i]);
		json_array_end(w);
	}
	json_object_end(w);
}

void process_write_capabilities(struct json_writer *w, const char *key, uint64_t set)
{
	json_array_begin(w, key);
	for (uint64_t bit = 0; bit < 64; bit++) {
		if (set >> bit & 1)
			json_add_string(w, NULL, words_name(&words_capability, bit));
	}
	json_array_end(w);
}
