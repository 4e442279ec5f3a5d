/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resources_change_read() with anything as the change of an update: it must not crash, must say why it refuses, and what is
 * to be saved must be a config.json again, in which the same change changes nothing more.
 */
#include "spec/resources.h"
#include "promise.h"

#include <string.h>

static const char config[] = "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"},\"linux\":{"
			     "\"resources\":{\"devices\":[{\"allow\":false}],"
			     "\"memory\":{\"limit\":1024,\"swap\":2048},\"cpu\":{\"quota\":5000,"
			     "\"period\":10000},\"hugepageLimits\":"
			     "[{\"pageSize\":\"2MB\",\"limit\":1}],\"unified\":{\"memory.high\":"
			     "\"1\"},\"future\":{\"a\":[1]}}}}";

static void check_saved(struct arena *arena, const struct resources_change *change,
			const char *text, size_t size)
{
	struct resources_change again;
	struct err err = ERR_INIT;
	struct config *saved;

	PROMISE(config_read(arena, change->config, change->config_len, &saved, &err) == 0);
	PROMISE(saved->linux_.resources.memory.limit.v == change->after.memory.limit.v);
	PROMISE(saved->linux_.resources.devices.n == change->after.devices.n);
	PROMISE(resources_change_read(arena, change->config, change->config_len, text, size, NULL,
				      &again, &err) == 0);
	PROMISE(again.after.memory.limit.v == change->after.memory.limit.v);
	PROMISE(again.after.memory.swap.v == change->after.memory.swap.v);
	PROMISE(again.after.hugepage_limits.n == change->after.hugepage_limits.n);
	PROMISE(again.after.unified.n == change->after.unified.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct resources_change change;
	struct err err = ERR_INIT;
	int r;

	r = resources_change_read(&arena, config, strlen(config), (const char *)data, size, NULL,
				  &change, &err);
	PROMISE(r == 0 || (r == -EINVAL && err.code == r && err.kind == ERR_USER && err.text[0]));
	if (r == 0) {
		PROMISE(change.after.set && change.given);
		for (size_t i = 0; i < change.ignored.n; i++)
			PROMISE(resources_is_given(&change, change.ignored.items[i].pointer));
		check_saved(&arena, &change, (const char *)data, size);
	}
	arena_clear(&arena);
	return 0;
}
