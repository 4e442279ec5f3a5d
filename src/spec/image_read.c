/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spec/image.h"

#include "spec/decode.h"
#include "spec/digest.h"
#include "spec/media_type.h"

#include <string.h>

/* ---- descriptors ------------------------------------------------------------------------------------------------ */

static int check_digest(struct decoder *d, const struct json *v, void *out)
{
	enum digest_algorithm algorithm;
	const char *hex, *why;

	if (digest_parse(v->text, &algorithm, &hex, &why) < 0)
		return decode_fail(d, v, "%s is no digest: %s", decode_got(d, v), why);
	return 0;
}

static const struct field platform_fields[] = {
	{ "os", STRING(struct platform, os), .flags = EMPTY_IS_ABSENT },
	{ "architecture", STRING(struct platform, architecture), .flags = EMPTY_IS_ABSENT },
	{ "variant", STRING(struct platform, variant), .flags = EMPTY_IS_ABSENT },
	{ "os.version", STRING(struct platform, os_version), .flags = EMPTY_IS_ABSENT },
	{ "os.features", STRINGS(struct platform, os_features) },
};
static const struct object platform_object = OBJECT(struct platform, platform_fields, NULL);

static const struct field descriptor_fields[] = {
	{ "mediaType", STRING(struct descriptor, media_type), .flags = REQUIRED | NOT_EMPTY },
	{ "digest", STRING(struct descriptor, digest), .flags = REQUIRED, .check = check_digest },
	{ "size", U64(struct descriptor, size), .flags = REQUIRED, .max = INT64_MAX },
	{ "urls", STRINGS(struct descriptor, urls) },
	{ "annotations", STRING_MAP(struct descriptor, annotations) },
	{ "artifactType", STRING(struct descriptor, artifact_type), .flags = EMPTY_IS_ABSENT },
	{ "platform", SECTION(struct descriptor, platform, platform_object), .flags = MARKS_SET },
};
static const struct object descriptor_object = OBJECT(struct descriptor, descriptor_fields, NULL);

/* ---- index and manifest ----------------------------------------------------------------------------------------- */

static int check_kind(struct decoder *d, const struct json *v, const char *media_type,
		      enum media_kind wanted)
{
	enum media_kind kind = media_type_find(media_type)->kind;

	if (media_type && kind != wanted)
		return decode_fail(d, json_member(v, "mediaType"),
				   "\"%s\" is the type of something else", media_type);
	/* The same bytes, read by somebody who goes by the members and not by the type. */
	if (json_member(v, wanted == MEDIA_INDEX ? "layers" : "manifests"))
		return decode_fail(d, v, "it is an index and a manifest at once");
	return 0;
}

static int check_index(struct decoder *d, const struct json *v, void *out)
{
	const struct image_index *index = out;

	return check_kind(d, v, index->media_type, MEDIA_INDEX);
}

static const struct field index_fields[] = {
	{ "schemaVersion", U32(struct image_index, schema_version), .flags = REQUIRED, .min = 2,
	  .max = 2 },
	{ "mediaType", STRING(struct image_index, media_type), .flags = EMPTY_IS_ABSENT },
	{ "artifactType", STRING(struct image_index, artifact_type), .flags = EMPTY_IS_ABSENT },
	{ "manifests", OBJECTS(struct image_index, manifests, descriptor_object),
	  .flags = REQUIRED },
	{ "annotations", STRING_MAP(struct image_index, annotations) },
	{ "subject", SECTION(struct image_index, subject, descriptor_object), .flags = MARKS_SET },
};
static const struct object index_object = OBJECT(struct image_index, index_fields, check_index);

static int check_manifest(struct decoder *d, const struct json *v, void *out)
{
	const struct image_manifest *manifest = out;

	if (manifest->layers.n > IMAGE_LAYERS_MAX)
		return decode_fail(d, json_member(v, "layers"),
				   "%zu layers are more than the limit of %d", manifest->layers.n,
				   IMAGE_LAYERS_MAX);
	return check_kind(d, v, manifest->media_type, MEDIA_MANIFEST);
}

static const struct field manifest_fields[] = {
	{ "schemaVersion", U32(struct image_manifest, schema_version), .flags = REQUIRED, .min = 2,
	  .max = 2 },
	{ "mediaType", STRING(struct image_manifest, media_type), .flags = EMPTY_IS_ABSENT },
	{ "artifactType", STRING(struct image_manifest, artifact_type), .flags = EMPTY_IS_ABSENT },
	{ "config", SECTION(struct image_manifest, config, descriptor_object), .flags = REQUIRED },
	{ "layers", OBJECTS(struct image_manifest, layers, descriptor_object), .flags = REQUIRED },
	{ "annotations", STRING_MAP(struct image_manifest, annotations) },
	{ "subject", SECTION(struct image_manifest, subject, descriptor_object),
	  .flags = MARKS_SET },
};
static const struct object manifest_object =
	OBJECT(struct image_manifest, manifest_fields, check_manifest);

/* ---- config ----------------------------------------------------------------------------------------------------- */

/* Go's map[string]struct{}: a set, written as an object of empty objects. */
static int set_of_names(struct decoder *d, const struct json *v, void *out)
{
	struct str_list *names = out;
	const struct json *entry;

	if (v->type != JSON_OBJECT)
		return decode_fail(d, v, "expected an object, got %s", decode_got(d, v));
	names->items = arena_array(d->arena, v->len, sizeof(*names->items));
	json_each(entry, v)
		names->items[names->n++] = entry->key;
	return 0;
}

/* Each needs a name, as a variable of an environment has one. */
static int check_env(struct decoder *d, const struct json *v, void *out)
{
	const char *equals = strchr(v->text, '=');

	return equals != v->text && v->len ? 0 : decode_fail(d, v, "a variable without a name");
}

static const struct field healthcheck_fields[] = {
	{ "Test", STRINGS(struct image_healthcheck, test) },
	{ "Interval", I64(struct image_healthcheck, interval_ns), .max = INT64_MAX },
	{ "Timeout", I64(struct image_healthcheck, timeout_ns), .max = INT64_MAX },
	{ "StartPeriod", I64(struct image_healthcheck, start_period_ns), .max = INT64_MAX },
	{ "StartInterval", I64(struct image_healthcheck, start_interval_ns), .max = INT64_MAX },
	{ "Retries", U32(struct image_healthcheck, retries) },
};
static const struct object healthcheck_object =
	OBJECT(struct image_healthcheck, healthcheck_fields, NULL);

static const struct field process_fields[] = {
	{ "User", STRING(struct image_process, user), .flags = EMPTY_IS_ABSENT },
	{ "ExposedPorts", CUSTOM(struct image_process, exposed_ports, set_of_names) },
	{ "Volumes", CUSTOM(struct image_process, volumes, set_of_names) },
	{ "Env", STRINGS(struct image_process, env), .check = check_env },
	{ "Entrypoint", STRINGS(struct image_process, entrypoint) },
	{ "Cmd", STRINGS(struct image_process, cmd) },
	{ "WorkingDir", STRING(struct image_process, working_dir), .flags = EMPTY_IS_ABSENT },
	{ "StopSignal", STRING(struct image_process, stop_signal), .flags = EMPTY_IS_ABSENT },
	{ "Labels", STRING_MAP(struct image_process, labels) },
	{ "Healthcheck", SECTION(struct image_process, healthcheck, healthcheck_object) },
	{ "Shell", STRINGS(struct image_process, shell) },
	{ "OnBuild", STRINGS(struct image_process, on_build) },
	{ "StopTimeout", OPT_U32(struct image_process, stop_timeout_s) },
	{ "ArgsEscaped", BOOL(struct image_process, args_escaped) },
};
static const struct object process_object = OBJECT(struct image_process, process_fields, NULL);

static const struct field rootfs_fields[] = {
	{ "type", STRING(struct image_config, rootfs_type), .flags = REQUIRED },
	{ "diff_ids", STRINGS(struct image_config, diff_ids), .flags = REQUIRED,
	  .check = check_digest },
};
static const struct object rootfs_object = OBJECT(struct image_config, rootfs_fields, NULL);

static const struct field history_fields[] = {
	{ "created", STRING(struct image_history, created), .flags = EMPTY_IS_ABSENT },
	{ "created_by", STRING(struct image_history, created_by), .flags = EMPTY_IS_ABSENT },
	{ "author", STRING(struct image_history, author), .flags = EMPTY_IS_ABSENT },
	{ "comment", STRING(struct image_history, comment), .flags = EMPTY_IS_ABSENT },
	{ "empty_layer", BOOL(struct image_history, empty_layer) },
};
static const struct object history_object = OBJECT(struct image_history, history_fields, NULL);

static int check_config(struct decoder *d, const struct json *v, void *out)
{
	const struct image_config *config = out;
	const struct json *type = json_member(json_member(v, "rootfs"), "type");
	size_t layers = 0;

	if (strcmp(config->rootfs_type, "layers") != 0)
		return decode_fail(d, type, "expected \"layers\", got %s", decode_got(d, type));
	for (size_t i = 0; i < config->history.n; i++)
		layers += !config->history.items[i].empty_layer;
	if (layers > config->diff_ids.n)
		return decode_fail(d, json_member(v, "history"),
				   "it tells of %zu layers, but rootfs.diff_ids has %zu", layers,
				   config->diff_ids.n);
	return 0;
}

static const struct field config_fields[] = {
	{ "os", STRING(struct image_config, platform.os), .flags = REQUIRED | NOT_EMPTY },
	{ "architecture", STRING(struct image_config, platform.architecture),
	  .flags = REQUIRED | NOT_EMPTY },
	{ "variant", STRING(struct image_config, platform.variant), .flags = EMPTY_IS_ABSENT },
	{ "os.version", STRING(struct image_config, platform.os_version),
	  .flags = EMPTY_IS_ABSENT },
	{ "os.features", STRINGS(struct image_config, platform.os_features) },
	{ "created", STRING(struct image_config, created), .flags = EMPTY_IS_ABSENT },
	{ "author", STRING(struct image_config, author), .flags = EMPTY_IS_ABSENT },
	{ "config", SECTION(struct image_config, process, process_object) },
	{ "rootfs", GROUP(rootfs_object), .flags = REQUIRED },
	{ "history", OBJECTS(struct image_config, history, history_object) },
};
static const struct object config_object = OBJECT(struct image_config, config_fields, check_config);

/* ---- documents -------------------------------------------------------------------------------------------------- */

static int read_document(struct arena *arena, const char *name, const char *text, size_t len,
			 size_t limit, const struct object *object, void *out, struct err *err)
{
	struct decoder d = {
		.arena = arena, .name = name, .text = text, .len = len, .err = err, .open = true
	};

	if (len > limit)
		return err_user(err, "read %s: %zu bytes are more than the limit of %zu", name, len,
				limit);
	return decode_document(&d, object, out);
}

int image_index_read(struct arena *arena, const char *name, const char *text, size_t len,
		     struct image_index *ret, struct err *err)
{
	struct image_index index = { 0 };
	int r = read_document(arena, name, text, len, IMAGE_MANIFEST_MAX_BYTES, &index_object,
			      &index, err);

	if (r == 0)
		*ret = index;
	return r;
}

int image_manifest_read(struct arena *arena, const char *name, const char *text, size_t len,
			struct image_manifest *ret, struct err *err)
{
	struct image_manifest manifest = { 0 };
	int r = read_document(arena, name, text, len, IMAGE_MANIFEST_MAX_BYTES, &manifest_object,
			      &manifest, err);

	if (r == 0)
		*ret = manifest;
	return r;
}

int image_config_read(struct arena *arena, const char *name, const char *text, size_t len,
		      struct image_config *ret, struct err *err)
{
	struct image_config config = { 0 };
	int r = read_document(arena, name, text, len, IMAGE_CONFIG_MAX_BYTES, &config_object,
			      &config, err);

	if (r == 0)
		*ret = config;
	return r;
}

int image_process_read(struct arena *arena, const char *name, const char *text, size_t len,
		       struct image_process *ret, struct err *err)
{
	struct image_process process = { 0 };
	int r = read_document(arena, name, text, len, IMAGE_CONFIG_MAX_BYTES, &process_object,
			      &process, err);

	if (r == 0)
		*ret = process;
	return r;
}
