/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spec/features.h"

#include "base/version.h"

#include "spec/annotations.h"
#include "spec/config.h"
#include "spec/words.h"

#include <string.h>

static void add_words(struct json_writer *w, const char *key, const struct words *words)
{
	json_array_begin(w, key);
	for (size_t i = 0; i < words->n; i++) {
		json_add_string(w, NULL, words->items[i].name);
	}
	json_array_end(w);
}

static void add_enabled(struct json_writer *w, const char *key, bool enabled)
{
	json_object_begin(w, key);
	json_add_bool(w, "enabled", enabled);
	json_object_end(w);
}

static void add_cgroup(struct json_writer *w)
{
	json_object_begin(w, "cgroup");
	json_add_bool(w, "v1", true);
	json_add_bool(w, "v2", true);
	json_add_bool(w, "systemd", true);
	json_add_bool(w, "systemdUser", true);
	json_add_bool(w, "rdma", true);
	json_object_end(w);
}

static void add_seccomp(struct json_writer *w)
{
	json_object_begin(w, "seccomp");
	json_add_bool(w, "enabled", true);
	add_words(w, "actions", &words_seccomp_action);
	add_words(w, "operators", &words_seccomp_op);
	add_words(w, "archs", &words_seccomp_arch);
	add_words(w, "knownFlags", &words_seccomp_flag);
	add_words(w, "supportedFlags", &words_seccomp_flag);
	json_object_end(w);
}

static void add_memory_policy(struct json_writer *w)
{
	json_object_begin(w, "memoryPolicy");
	add_words(w, "modes", &words_memory_mode);
	add_words(w, "flags", &words_memory_flag);
	json_object_end(w);
}

static void add_intel_rdt(struct json_writer *w)
{
	json_object_begin(w, "intelRdt");
	json_add_bool(w, "enabled", true);
	json_add_bool(w, "schemata", true);
	json_add_bool(w, "monitoring", true);
	json_object_end(w);
}

static void add_mount_extensions(struct json_writer *w)
{
	json_object_begin(w, "mountExtensions");
	add_enabled(w, "idmap", true);
	json_object_end(w);
}

static void add_linux(struct json_writer *w)
{
	json_object_begin(w, "linux");
	add_words(w, "namespaces", &words_namespace);
	add_words(w, "capabilities", &words_capability);
	add_cgroup(w);
	add_seccomp(w);
	add_enabled(w, "apparmor", true);
	add_enabled(w, "selinux", true);
	add_intel_rdt(w);
	add_memory_policy(w);
	add_mount_extensions(w);
	add_enabled(w, "netDevices", true);
	json_object_end(w);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_mount_options(struct json_writer *w, struct arena *arena,
			      const char *const *options, size_t n)
{
	const char **sorted = arena_array(arena, n, sizeof(*sorted));

	for (size_t i = 0; i < n; i++)
		sorted[i] = options[i];
	qsort(sorted, n, sizeof(*sorted), by_text);

	json_array_begin(w, "mountOptions");
	for (size_t i = 0; i < n; i++)
		json_add_string(w, NULL, sorted[i]);
	json_array_end(w);
}

static void add_annotations(struct json_writer *w)
{
	json_object_begin(w, "annotations");
	json_add_string(w, "run.tare.checkpoint.enabled", "true");
	json_add_string(w, "run.tare.commit", tare_commit);
	json_add_string(w, "run.tare.version", tare_version);
	json_object_end(w);
}

static void add_unsafe_annotations(struct json_writer *w)
{
	static const char *const obeyed[] = { ANNOTATIONS_OBEYED };

	json_array_begin(w, "potentiallyUnsafeConfigAnnotations");
	for (size_t i = 0; i < ARRAY_LEN(obeyed); i++)
		json_add_string(w, NULL, obeyed[i]);
	json_array_end(w);
}

void features_write(struct json_writer *w, struct arena *arena, const char *const *mount_options,
		    size_t n)
{
	json_object_begin(w, NULL);
	json_add_string(w, "ociVersionMin", SPEC_VERSION_MIN);
	json_add_string(w, "ociVersionMax", SPEC_VERSION);
	json_array_begin(w, "hooks");
	for (size_t i = 0; i < HOOK_KINDS; i++)
		json_add_string(w, NULL, hook_names[i]);
	json_array_end(w);
	add_mount_options(w, arena, mount_options, n);
	add_linux(w);
	add_annotations(w);
	add_unsafe_annotations(w);
	json_object_end(w);
}
