/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The documents of an image with anything: what is taken has digests that can be verified, and no part that is NULL. */
#include "spec/digest.h"
#include "spec/image.h"
#include "promise.h"

#include <string.h>

static void is_digest(const char *text)
{
	enum digest_algorithm algorithm;
	const char *hex, *why;

	PROMISE(text && digest_parse(text, &algorithm, &hex, &why) == 0);
}

static void is_descriptor(const struct descriptor *d)
{
	is_digest(d->digest);
	PROMISE(d->media_type && d->media_type[0] && d->size <= INT64_MAX);
}

static void are_strings(const struct str_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		PROMISE(list->items[i] && strlen(list->items[i]) < IMAGE_CONFIG_MAX_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	defer_arena struct arena arena = { 0 };
	struct err err = ERR_INIT;
	struct image_manifest manifest;
	struct image_config config;
	struct image_index index;
	const char *text = (const char *)data;

	if (image_index_read(&arena, "it", text, size, &index, &err) == 0) {
		for (size_t i = 0; i < index.manifests.n; i++)
			is_descriptor(&index.manifests.items[i]);
	}
	if (image_manifest_read(&arena, "it", text, size, &manifest, &err) == 0) {
		is_descriptor(&manifest.config);
		PROMISE(manifest.layers.n <= IMAGE_LAYERS_MAX);
		for (size_t i = 0; i < manifest.layers.n; i++)
			is_descriptor(&manifest.layers.items[i]);
	}
	if (image_config_read(&arena, "it", text, size, &config, &err) == 0) {
		for (size_t i = 0; i < config.diff_ids.n; i++)
			is_digest(config.diff_ids.items[i]);
		are_strings(&config.process.env);
		are_strings(&config.process.volumes);
		PROMISE(config.platform.os && config.platform.architecture);
	}
	return 0;
}
