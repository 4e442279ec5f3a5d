/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/compose.h"

#include "base/clock.h"
#include "base/num.h"
#include "image/blob.h"
#include "spec/image_write.h"

#include <stdlib.h>
#include <string.h>

/* Year 9999: what RFC 3339 can say. */
#define EPOCH_MAX 253402300799

struct compose {
	const struct store *store;
	struct arena *arena;
	const struct composition *what;
	const struct json *base; /* the base's config as a document; NULL */
};

/* ---- config ----------------------------------------------------------------------------------------------------- */

static void add_text(struct json_writer *w, const char *key, const char *value)
{
	if (value)
		json_add_string(w, key, value);
}

static void write_rootfs(struct json_writer *w, const struct composition *what)
{
	json_object_begin(w, "rootfs");
	json_add_string(w, "type", "layers");
	json_array_begin(w, "diff_ids");
	for (size_t i = 0; what->base && i < what->base->config.diff_ids.n; i++)
		json_add_string(w, NULL, what->base->config.diff_ids.items[i]);
	if (what->layer)
		json_add_string(w, NULL, what->layer->diff_id);
	json_array_end(w);
	json_object_end(w);
}

/* Others refuse a history that tells of fewer layers than there are, unless it is empty, which it will not be. */
static void write_missing(struct json_writer *w, const struct image *base)
{
	const struct image_history missing = { .created = base ? base->config.created : NULL };
	size_t told = 0;

	if (!base)
		return;
	for (size_t i = 0; i < base->config.history.n; i++)
		told += !base->config.history.items[i].empty_layer;
	for (; told < base->config.diff_ids.n; told++)
		image_history_write(w, &missing);
}

static void write_history(struct json_writer *w, const struct composition *what)
{
	const struct image_history last = {
		.created = what->created,
		.created_by = what->created_by,
		.author = what->author,
		.comment = what->comment,
		.empty_layer = !what->layer,
	};

	json_array_begin(w, "history");
	write_missing(w, what->base);
	for (size_t i = 0; what->base && i < what->base->config.history.n; i++)
		image_history_write(w, &what->base->config.history.items[i]);
	image_history_write(w, &last);
	json_array_end(w);
}

/* What the base's config has beside: docker's "container" and the like say how that one was made, and are left out. */
static bool is_kept(const char *key)
{
	static const char *const ours[] = {
		"created",    "author",           "architecture",   "os",     "variant",
		"os.version", "os.features",      "config",         "rootfs", "history",
		"container",  "container_config", "docker_version", "id",     "parent"
	};

	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		if (strcmp(ours[i], key) == 0)
			return false;
	}
	return true;
}

static char *config_text(const struct compose *c, size_t *ret_len)
{
	const struct composition *what = c->what;
	const struct platform *platform =
		what->base ? &what->base->config.platform : &what->platform;
	const struct json *member;
	struct json_writer w;

	json_writer_init(&w, c->arena, 0);
	json_object_begin(&w, NULL);
	json_add_string(&w, "created", what->created);
	add_text(&w, "author",
		 what->author ? what->author : (what->base ? what->base->config.author : NULL));
	json_add_string(&w, "architecture", platform->architecture);
	add_text(&w, "variant", platform->variant);
	json_add_string(&w, "os", platform->os);
	add_text(&w, "os.version", platform->os_version);
	image_process_write(&w, "config", what->process, json_member(c->base, "config"));
	write_rootfs(&w, what);
	write_history(&w, what);
	if (c->base) {
		json_each(member, c->base) {
			if (is_kept(member->key))
				json_add_value(&w, member->key, member);
		}
	}
	json_object_end(&w);
	return json_writer_text(&w, ret_len);
}

/* ---- manifest --------------------------------------------------------------------------------------------------- */

/* docker's types mean the same, and a manifest should be of one kind. */
static const char *layer_type(const char *name)
{
	const struct media_type *type = media_type_find(name);

	if (!type->docker || type->kind != MEDIA_LAYER || type->foreign)
		return name;
	return media_type_layer(type->compression);
}

static void write_layers(struct json_writer *w, const struct composition *what)
{
	json_array_begin(w, "layers");
	for (size_t i = 0; what->base && i < what->base->manifest.layers.n; i++) {
		struct descriptor layer = what->base->manifest.layers.items[i];

		layer.media_type = layer_type(layer.media_type);
		image_descriptor_write(w, NULL, &layer);
	}
	if (what->layer) {
		const struct descriptor layer = { .media_type = what->layer->media_type,
						  .digest = what->layer->digest,
						  .size = what->layer->size };

		image_descriptor_write(w, NULL, &layer);
	}
	json_array_end(w);
}

static char *manifest_text(const struct compose *c, const struct descriptor *config,
			   size_t *ret_len)
{
	struct json_writer w;

	json_writer_init(&w, c->arena, 0);
	json_object_begin(&w, NULL);
	json_add_u64(&w, "schemaVersion", 2);
	json_add_string(&w, "mediaType", MEDIA_OCI_MANIFEST);
	image_descriptor_write(&w, "config", config);
	write_layers(&w, c->what);
	json_object_end(&w);
	return json_writer_text(&w, ret_len);
}

static int store_text(const struct compose *c, const char *media_type, const char *text, size_t len,
		      struct descriptor *ret, struct err *err)
{
	char digest[DIGEST_TEXT_MAX];
	int r = blob_make(c->store, text, len, digest, err);

	if (r < 0)
		return r;
	*ret = (struct descriptor){ .set = true,
				    .media_type = media_type,
				    .digest = arena_strdup(c->arena, digest),
				    .size = len };
	return 0;
}

static int read_base(struct compose *c, struct err *err)
{
	const struct image *base = c->what->base;
	char *text;
	size_t len;
	int r;

	if (!base)
		return 0;
	r = blob_read(c->store, c->arena, base->id, IMAGE_CONFIG_MAX_BYTES, &text, &len, err);
	return r < 0 ? r : json_parse(c->arena, text, len, &c->base, err);
}

int compose_image(const struct store *store, struct arena *arena, const struct composition *what,
		  struct descriptor *ret, struct err *err)
{
	struct compose c = { store, arena, what, NULL };
	struct descriptor config;
	size_t len;
	char *text;
	int r;

	if ((what->base ? what->base->manifest.layers.n : 0) + 1 > IMAGE_LAYERS_MAX)
		return err_user(err, "the image would have more than %d layers", IMAGE_LAYERS_MAX);
	r = read_base(&c, err);
	if (r == 0) {
		text = config_text(&c, &len);
		r = store_text(&c, MEDIA_OCI_CONFIG, text, len, &config, err);
	}
	if (r == 0) {
		text = manifest_text(&c, &config, &len);
		r = store_text(&c, MEDIA_OCI_MANIFEST, text, len, ret, err);
	}
	return r < 0 ? err_context(err, "compose the image") : 0;
}

int compose_created(struct arena *arena, const char **ret, int64_t *ret_newest, struct err *err)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	struct timespec when = { 0 };
	char text[TIME_RFC3339_MAX];
	uint64_t seconds;

	*ret_newest = PACK_TIMES_KEPT;
	if (!epoch || !*epoch) {
		*ret = arena_strdup(arena, time_rfc3339_now(text));
		return 0;
	}
	if (num_parse_u64(epoch, 0, EPOCH_MAX, &seconds) < 0)
		return err_user(err, "SOURCE_DATE_EPOCH=\"%s\" is no number of seconds", epoch);
	when.tv_sec = (time_t)seconds;
	*ret_newest = (int64_t)seconds;
	*ret = arena_strdup(arena, time_rfc3339(&when, text));
	return 0;
}
