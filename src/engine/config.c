/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/config_parts.h"

#include "base/num.h"
#include "engine/defaults.h"
#include "spec/annotations.h"
#include "spec/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HOSTNAME_DIGITS 12

void build_list(struct json_writer *w, const char *key, const char *const *items)
{
	json_array_begin(w, key);
	for (; *items; items++)
		json_add_string(w, NULL, *items);
	json_array_end(w);
}

void build_strings(struct json_writer *w, const char *key, const struct str_list *list)
{
	json_array_begin(w, key);
	for (size_t i = 0; i < list->n; i++)
		json_add_string(w, NULL, list->items[i]);
	json_array_end(w);
}

void build_warn(const struct build *b, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (b->in->warn)
		b->in->warn(b->in->to, text);
}

const char *config_hostname(struct arena *arena, const struct config_input *in)
{
	if (in->settings->hostname)
		return in->settings->hostname;
	return arena_strndup(arena, in->id, HOSTNAME_DIGITS);
}

/* What --strict leaves out, said before anything is made. */
static int check_strict(const struct build *b, struct err *err)
{
	if (!b->settings->strict)
		return 0;
	if (b->settings->privileged)
		return err_user(err, "\"--strict\" and \"--privileged\" contradict each other");
	if (b->user.uid != 0)
		return 0;
	err_user(err, "\"--strict\" runs nothing as uid 0, and this container's user is that");
	return err_hint(err, "give another with --user, or an image that has one");
}

static int settle(struct build *b, struct err *err)
{
	const char *user = b->settings->user ? b->settings->user : b->image->user;
	int r = user_find(b->arena, b->in->root, user, &b->settings->group_add, &b->user, err);

	if (r == 0)
		r = check_strict(b, err);
	if (r == 0)
		r = build_security(b, err);
	return r < 0 ? r : build_capabilities(b, err);
}

static int write_all(struct build *b, struct err *err)
{
	struct json_writer *w = b->w;
	int r;

	json_object_begin(w, NULL);
	json_add_string(w, "ociVersion", SPEC_VERSION);
	json_object_begin(w, "root");
	json_add_string(w, "path", b->in->rootfs);
	json_add_bool(w, "readonly", b->settings->read_only || b->settings->strict);
	json_object_end(w);
	json_add_string(w, "hostname", config_hostname(b->arena, b->in));
	r = build_process(b, err);
	if (r == 0)
		r = build_mounts(b, err);
	if (r == 0)
		r = build_annotations(b, err);
	if (r == 0)
		r = build_linux(b, err);
	json_object_end(w);
	return r;
}

/* ---- annotations -------------------------------------------------------------------------------------------------- */

/* An image may not use what changes the runtime's behaviour: it would choose files of the host to be written to. */
static bool is_obeyed(const char *key)
{
	static const char *const prefixes[] = { ANNOTATIONS_OF_CRUN, ANNOTATION_CRIU_CONFIG,
						ANNOTATION_UNIT_PROPERTY };

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (strncmp(key, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	}
	return false;
}

/* The list of what is written, so that a later one of the same name goes before an earlier one. */
struct annotations {
	struct key_value *items;
	size_t n;
};

static void put(struct annotations *list, const char *key, const char *value)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->items[i].key, key) == 0) {
			list->items[i].value = value;
			return;
		}
	}
	list->items[list->n++] = (struct key_value){ key, value };
}

static void put_if(struct annotations *list, const char *key, const char *value)
{
	if (value && *value)
		put(list, key, value);
}

static const char *joined(struct arena *arena, const struct str_list *words)
{
	const char *text = NULL;

	for (size_t i = 0; i < words->n; i++)
		text = text ? arena_printf(arena, "%s,%s", text, words->items[i]) : words->items[i];
	return text;
}

/* Spec: conversion.md "Annotation Fields" */
static void put_image(const struct build *b, struct annotations *list)
{
	const struct image_config *config = b->config;
	const struct key_value_list *labels = &b->image->labels;

	if (!config)
		return;
	put_if(list, "org.opencontainers.image.os", config->platform.os);
	put_if(list, "org.opencontainers.image.architecture", config->platform.architecture);
	put_if(list, "org.opencontainers.image.variant", config->platform.variant);
	put_if(list, "org.opencontainers.image.author", config->author);
	put_if(list, "org.opencontainers.image.created", config->created);
	put_if(list, "org.opencontainers.image.stopSignal", b->image->stop_signal);
	put_if(list, "org.opencontainers.image.exposedPorts",
	       joined(b->arena, &b->image->exposed_ports));
	for (size_t i = 0; i < labels->n; i++) {
		if (is_obeyed(labels->items[i].key))
			build_warn(b, "leave out the image's label %s: it would change the runtime",
				   labels->items[i].key);
		else
			put(list, labels->items[i].key, labels->items[i].value);
	}
}

/* --label, --annotation: NAME=VALUE */
static void put_given(const struct build *b, struct annotations *list, const struct str_list *given)
{
	for (size_t i = 0; i < given->n; i++) {
		const char *equals = strchr(given->items[i], '=');

		if (equals)
			put(list,
			    arena_strndup(b->arena, given->items[i],
					  (size_t)(equals - given->items[i])),
			    equals + 1);
		else
			put(list, given->items[i], "");
	}
}

int build_annotations(struct build *b, struct err *err)
{
	const struct settings *s = b->settings;
	struct annotations list = {
		.items = arena_array(b->arena,
				     8 + b->image->labels.n + s->labels.n + s->annotations.n,
				     sizeof(struct key_value)),
	};

	put_image(b, &list);
	put_given(b, &list, &s->labels);
	put_given(b, &list, &s->annotations);
	if (list.n == 0)
		return 0;
	json_object_begin(b->w, "annotations");
	for (size_t i = 0; i < list.n; i++)
		json_add_string(b->w, list.items[i].key, list.items[i].value);
	json_object_end(b->w);
	return 0;
}

/* Nobody needs them before it is to be stopped, and then it would be too late to complain. */
static int ask_stop(struct build *b, struct err *err)
{
	const struct settings *s = b->settings;
	uint64_t seconds;
	int signal;

	if (s->stop_signal && signal_parse(s->stop_signal, &signal) < 0)
		return err_user(err, "--stop-signal: unknown signal \"%s\"", s->stop_signal);
	if (s->stop_signal)
		b->asked.stop_signal = s->stop_signal;
	if (!s->stop_timeout)
		return 0;
	if (num_parse_u64(s->stop_timeout, 0, INT32_MAX, &seconds) < 0)
		return err_user(err, "--stop-timeout \"%s\" is no number of seconds",
				s->stop_timeout);
	b->asked.stop_timeout_s = (struct opt_u32){ .set = true, .v = (uint32_t)seconds };
	return 0;
}

/* What the parts that write them don't settle themselves. */
static int ask(struct build *b, struct err *err)
{
	const struct settings *s = b->settings;
	struct annotations list = {
		.items = arena_array(b->arena, b->image->labels.n + s->labels.n + 1,
				     sizeof(struct key_value)),
	};

	for (size_t i = 0; i < b->image->labels.n; i++)
		put(&list, b->image->labels.items[i].key, b->image->labels.items[i].value);
	put_given(b, &list, &s->labels);
	b->asked = *b->image;
	if (s->user)
		b->asked.user = s->user;
	if (s->working_dir)
		b->asked.working_dir = s->working_dir;
	b->asked.labels.items = list.items;
	b->asked.labels.n = list.n;
	return ask_stop(b, err);
}

int config_build(struct arena *arena, const struct config_input *in, char **ret_text,
		 size_t *ret_len, struct image_process *ret_asked, struct err *err)
{
	static const struct image_process no_image = { .user = NULL };
	struct json_writer w;
	struct build b = {
		.w = &w,
		.arena = arena,
		.in = in,
		.settings = in->settings,
		.image = in->image ? &in->image->config.process : &no_image,
		.config = in->image ? &in->image->config : NULL,
	};
	int r = settle(&b, err);

	if (r < 0)
		return r;
	r = ask(&b, err);
	if (r < 0)
		return r;
	json_writer_init(&w, arena, 2);
	r = write_all(&b, err);
	if (r < 0)
		return r;
	*ret_text = json_writer_text(&w, ret_len);
	*ret_asked = b.asked;
	return 0;
}
