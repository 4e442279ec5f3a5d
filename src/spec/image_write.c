/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spec/image_write.h"

#include <string.h>

static void add_text(struct json_writer *w, const char *key, const char *value)
{
	if (value)
		json_add_string(w, key, value);
}

static void add_list(struct json_writer *w, const char *key, const struct str_list *list)
{
	if (!list->n)
		return;
	json_array_begin(w, key);
	for (size_t i = 0; i < list->n; i++)
		json_add_string(w, NULL, list->items[i]);
	json_array_end(w);
}

/* Go's map[string]struct{} */
static void add_set(struct json_writer *w, const char *key, const struct str_list *list)
{
	if (!list->n)
		return;
	json_object_begin(w, key);
	for (size_t i = 0; i < list->n; i++) {
		json_object_begin(w, list->items[i]);
		json_object_end(w);
	}
	json_object_end(w);
}

static void add_map(struct json_writer *w, const char *key, const struct key_value_list *list)
{
	if (!list->n)
		return;
	json_object_begin(w, key);
	for (size_t i = 0; i < list->n; i++)
		json_add_string(w, list->items[i].key, list->items[i].value);
	json_object_end(w);
}

/* As docker's inspect has them: null where there are none. */
static void all_list(struct json_writer *w, const char *key, const struct str_list *list)
{
	if (list->n)
		add_list(w, key, list);
	else
		json_add_null(w, key);
}

static void all_set(struct json_writer *w, const char *key, const struct str_list *list)
{
	if (list->n)
		add_set(w, key, list);
	else
		json_add_null(w, key);
}

static void add_time(struct json_writer *w, const char *key, int64_t ns)
{
	if (ns)
		json_add_i64(w, key, ns);
}

static void add_healthcheck(struct json_writer *w, const struct image_healthcheck *check)
{
	if (!check->test.n && !check->interval_ns && !check->timeout_ns && !check->retries &&
	    !check->start_period_ns && !check->start_interval_ns)
		return;
	json_object_begin(w, "Healthcheck");
	add_list(w, "Test", &check->test);
	add_time(w, "Interval", check->interval_ns);
	add_time(w, "Timeout", check->timeout_ns);
	add_time(w, "StartPeriod", check->start_period_ns);
	add_time(w, "StartInterval", check->start_interval_ns);
	if (check->retries)
		json_add_u64(w, "Retries", check->retries);
	json_object_end(w);
}

/* What image_read.c decodes; all else is kept as it is. */
static const char *const known[] = {
	"User",    "ExposedPorts", "Env",         "Entrypoint",  "Cmd",
	"Volumes", "WorkingDir",   "Labels",      "StopSignal",  "Healthcheck",
	"Shell",   "OnBuild",      "StopTimeout", "ArgsEscaped",
};

static bool is_known(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strcmp(known[i], key) == 0)
			return true;
	}
	return false;
}

void image_process_write_all(struct json_writer *w, const char *key,
			     const struct image_process *process)
{
	json_object_begin(w, key);
	json_add_string(w, "User", process->user ? process->user : "");
	all_set(w, "ExposedPorts", &process->exposed_ports);
	all_list(w, "Env", &process->env);
	all_list(w, "Cmd", &process->cmd);
	add_healthcheck(w, &process->healthcheck);
	all_set(w, "Volumes", &process->volumes);
	json_add_string(w, "WorkingDir", process->working_dir ? process->working_dir : "");
	all_list(w, "Entrypoint", &process->entrypoint);
	all_list(w, "OnBuild", &process->on_build);
	if (process->labels.n)
		add_map(w, "Labels", &process->labels);
	else
		json_add_null(w, "Labels");
	add_text(w, "StopSignal", process->stop_signal);
	if (process->stop_timeout_s.set)
		json_add_u64(w, "StopTimeout", process->stop_timeout_s.v);
	add_list(w, "Shell", &process->shell);
	json_object_end(w);
}

void image_process_write(struct json_writer *w, const char *key,
			 const struct image_process *process, const struct json *base)
{
	const struct json *member;

	json_object_begin(w, key);
	add_text(w, "User", process->user);
	add_set(w, "ExposedPorts", &process->exposed_ports);
	add_list(w, "Env", &process->env);
	add_list(w, "Entrypoint", &process->entrypoint);
	add_list(w, "Cmd", &process->cmd);
	add_set(w, "Volumes", &process->volumes);
	add_text(w, "WorkingDir", process->working_dir);
	add_map(w, "Labels", &process->labels);
	add_text(w, "StopSignal", process->stop_signal);
	add_healthcheck(w, &process->healthcheck);
	add_list(w, "Shell", &process->shell);
	add_list(w, "OnBuild", &process->on_build);
	if (process->stop_timeout_s.set)
		json_add_u64(w, "StopTimeout", process->stop_timeout_s.v);
	if (process->args_escaped)
		json_add_bool(w, "ArgsEscaped", true);
	if (base && base->type == JSON_OBJECT) {
		json_each(member, base) {
			if (!is_known(member->key))
				json_add_value(w, member->key, member);
		}
	}
	json_object_end(w);
}

static void add_platform(struct json_writer *w, const struct platform *platform)
{
	json_object_begin(w, "platform");
	add_text(w, "architecture", platform->architecture);
	add_text(w, "os", platform->os);
	add_text(w, "os.version", platform->os_version);
	add_list(w, "os.features", &platform->os_features);
	add_text(w, "variant", platform->variant);
	json_object_end(w);
}

void image_descriptor_write(struct json_writer *w, const char *key,
			    const struct descriptor *descriptor)
{
	json_object_begin(w, key);
	json_add_string(w, "mediaType", descriptor->media_type);
	json_add_string(w, "digest", descriptor->digest);
	json_add_u64(w, "size", descriptor->size);
	add_list(w, "urls", &descriptor->urls);
	add_map(w, "annotations", &descriptor->annotations);
	if (descriptor->platform.set)
		add_platform(w, &descriptor->platform);
	add_text(w, "artifactType", descriptor->artifact_type);
	json_object_end(w);
}

void image_history_write(struct json_writer *w, const struct image_history *history)
{
	json_object_begin(w, NULL);
	add_text(w, "created", history->created);
	add_text(w, "created_by", history->created_by);
	add_text(w, "author", history->author);
	add_text(w, "comment", history->comment);
	if (history->empty_layer)
		json_add_bool(w, "empty_layer", true);
	json_object_end(w);
}
