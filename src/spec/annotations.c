/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spec/annotations.h"

#include <string.h>

const char *annotation_value(const struct key_value_list *annotations, const char *key)
{
	for (size_t i = 0; i < annotations->n; i++) {
		const char *value = annotations->items[i].value;

		if (strcmp(annotations->items[i].key, key) == 0)
			return value[0] ? value : NULL;
	}
	return NULL;
}

bool annotation_is_one(const struct key_value_list *annotations, const char *key)
{
	const char *value = annotation_value(annotations, key);

	return value && strcmp(value, "1") == 0;
}
