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

bool annotation_is_missed(const char *key)
{
	static const char *const obeyed[] = { ANNOTATIONS_OBEYED };

	for (size_t i = 0; i < ARRAY_LEN(obeyed); i++) {
		if (strcmp(key, obeyed[i]) == 0)
			return false;
	}
	return strncmp(key, ANNOTATIONS_OF_CRUN, strlen(ANNOTATIONS_OF_CRUN)) == 0;
}

bool annotation_is_one(const struct key_value_list *annotations, const char *key)
{
	const char *value = annotation_value(annotations, key);

	return value && strcmp(value, "1") == 0;
}
